import { plural } from './format.ts'
import type { Messages } from './messages.ts'

const posts = (count: number) => plural('de', count, { one: '1 Beitrag', other: '# Beiträge' })
const often = {
  instant: 'sobald etwas erscheint',
  daily: 'einmal am Tag',
  weekly: 'einmal in der Woche',
  monthly: 'einmal im Monat',
} as const
const positions = {
  first: 'ersten',
  last: 'letzten',
} as const

export const de: Messages = {
  locale: 'de',
  language: 'Deutsch',
  navigation: {
    label: 'Hauptnavigation',
    skip: 'Zum Text springen',
    latest: 'Neues',
    feeds: 'Feeds',
    archive: 'Frühere Ausgaben',
    subscribe: 'Abonnieren',
    colophon: 'Ohne Skripte, ohne Verfolgung. Zu lesen hier, im Feedreader oder per E-Mail.',
  },
  home: {
    latest: 'Neues',
    empty: 'Noch ist nichts erschienen. Wenn Sie abonnieren, erfahren Sie vom ersten Beitrag.',
    directory: 'Rubriken',
    allCategories: (count) => plural('de', count, { one: 'Die Rubrik', other: 'Alle # Rubriken' }),
    more: 'Ältere Beiträge',
    newest: 'Neueste Beiträge',
  },
  post: {
    by: (authors) => `Von ${authors}`,
    updated: (date) => `Aktualisiert am ${date}`,
    minutes: (count) => `${count} Min. Lesezeit`,
    original: (host) => `Zuerst erschienen bei ${host}`,
    attachments: 'Anhänge',
  },
  category: {
    posts,
    empty: 'In dieser Rubrik ist noch nichts erschienen.',
    feeds: 'Im Feedreader verfolgen',
    copyHint:
      'Kopieren Sie eine dieser Adressen in Ihren Feedreader. Alle drei enthalten dieselben Beiträge.',
    byMail: 'Per E-Mail verfolgen',
  },
  feeds: {
    title: 'Feeds',
    lead: 'Jede Rubrik als Feed, in drei Formaten mit denselben Beiträgen. Kopieren Sie eine Adresse in Ihren Feedreader, und neue Beiträge kommen von selbst dorthin.',
    everything: 'Alles',
    everythingHint: 'Jeder Beitrag aus jeder Rubrik.',
    opml: 'Alle Feeds in einer Datei (OPML)',
    opmlHint: 'Die meisten Feedreader können sie einlesen.',
    none: 'Noch gibt es keine Rubriken. Die Feeds oben enthalten jeden Beitrag.',
  },
  subscribe: {
    title: 'Per E-Mail abonnieren',
    lead: 'Eine E-Mail mit dem, was in Ihren Rubriken neu ist – so oft, wie Sie möchten.',
    email: 'E-Mail-Adresse',
    emailHint:
      'Sie erhalten eine Nachricht, um sie zu bestätigen. Die Adresse dient nur diesem Zweck.',
    categories: 'Was möchten Sie lesen?',
    categoriesHint: 'Ohne Auswahl bekommen Sie alles, auch neue Rubriken.',
    onlyCategory: (title) => `Neue Beiträge aus „${title}“ in einer E-Mail.`,
    cadence: 'Wie oft?',
    when: 'Tag, Uhrzeit und Sprache',
    whenDefault: (sentence) => `Wenn Sie hier nichts ändern: ${sentence}`,
    day: 'Tag',
    dayUsual: 'Am üblichen Tag',
    dayWeekly: 'Für eine E-Mail in der Woche',
    dayMonthly: 'Für eine E-Mail im Monat',
    dayHint: 'Fehlt der Tag in einem kürzeren Monat, gilt dessen letzter.',
    at: 'Uhrzeit',
    timeZone: 'Zeitzone',
    locale: 'Sprache der E-Mails',
    button: 'Abonnieren',
    choose: 'Rubriken, Tag und Uhrzeit wählen',
    consent:
      'Mit dem Abonnement bitten Sie uns, Ihnen zu schreiben, bis Sie es beenden. Jede E-Mail enthält einen Link dafür.',
    errorTitle: 'Bitte sehen Sie sich das noch einmal an',
    errorPrefix: 'Fehler',
    faults: {
      email: 'An diese Adresse lässt sich nichts schicken. Sie sieht so aus: name@example.org',
      categories: 'Diese Rubrik gibt es hier nicht. Wählen Sie unter den aufgeführten.',
      cadence: 'Wählen Sie, wie oft Sie Post möchten.',
      day: 'Dieser Tag passt nicht dazu, wie oft Sie Post möchten.',
      at: 'Die Uhrzeit muss zwischen 00:00 und 23:59 liegen.',
      timeZone: 'Diese Zeitzone ist nicht bekannt.',
      locale: 'Diese Sprache ist nicht bekannt.',
      pausedUntil: 'Wählen Sie einen Tag in der Zukunft, höchstens ein Jahr voraus.',
      confirm: 'Bitte kreuzen Sie an, dass alles gelöscht werden soll.',
    },
  },
  cadences: {
    instant: 'Sobald etwas erscheint (das können mehrere E-Mails am Tag sein)',
    daily: 'Einmal am Tag, wenn es Neues gibt',
    weekly: 'Einmal in der Woche, wenn es Neues gibt',
    monthly: 'Einmal im Monat, wenn es Neues gibt',
  },
  schedule: ({ cadence, day, at, timeZone }) =>
    ({
      instant: 'Eine E-Mail, sobald etwas erscheint.',
      daily: `Eine E-Mail am Tag, um ${at} Uhr (${timeZone}).`,
      weekly: `Eine E-Mail in der Woche, am ${day} um ${at} Uhr (${timeZone}).`,
      monthly: `Eine E-Mail im Monat, am ${day} um ${at} Uhr (${timeZone}).`,
    })[cadence],
  monthDay: (day) => `${day}.`,
  monthWeekday: (position, weekday) => `${positions[position]} ${weekday}`,
  checkInbox: {
    title: 'Sehen Sie in Ihr Postfach',
    lead: 'Wir haben Ihnen eine E-Mail geschickt. Öffnen Sie den Link darin; bis dahin erhalten Sie nichts weiter von uns.',
    change:
      'Wir haben eine E-Mail an die neue Adresse geschickt. Öffnen Sie den Link darin; bis dahin kommt alles weiter an Ihre jetzige Adresse.',
    nothing:
      'Auch nach einigen Minuten nichts da? Sehen Sie im Spam-Ordner nach und prüfen Sie die Schreibweise der Adresse. Wir schicken höchstens eine solche E-Mail am Tag.',
  },
  confirm: {
    title: 'Abonnement bestätigen',
    lead: (site) => `Sie möchten E-Mails von „${site}“ erhalten:`,
    button: 'Bestätigen',
    ignore: 'Das waren nicht Sie? Schließen Sie diese Seite, dann wird nichts verschickt.',
  },
  confirmed: {
    title: 'Sie haben abonniert',
    lead: 'Vielen Dank. Was von jetzt an erscheint, erreicht Sie per E-Mail:',
    next: (date) => `Die nächste ist fällig: ${date}.`,
    change: 'Auswahl ändern',
  },
  moving: {
    title: 'Ihre neue Adresse ist vorgemerkt',
    lead: 'An Ihre alte Adresse ist noch eine E-Mail unterwegs. Danach kommt alles an die neue; Sie müssen nichts weiter tun.',
  },
  moved: {
    title: 'Ihre Adresse wurde geändert',
    lead: 'Dieser Link gehört zu Ihrer alten Adresse. Zu Ihren Einstellungen führt der Link in der nächsten E-Mail an die neue.',
  },
  preferences: {
    title: 'Ihr Abonnement',
    saved: 'Ihre Auswahl ist gespeichert. Sie gilt ab der nächsten E-Mail.',
    tooOften:
      'Sie haben Ihre Auswahl heute sehr oft geändert. Was zuvor gespeichert wurde, bleibt; bitte versuchen Sie es morgen wieder.',
    save: 'Speichern',
    paused: (date) => `Bis ${date} kommt keine Post.`,
    resume: 'Jetzt fortsetzen',
    stopped: 'Sie haben zurzeit kein Abonnement.',
    suppressed:
      'An diese Adresse geht keine E-Mail mehr: Es kamen welche zurück, oder eine wurde als Spam gemeldet. Abonnieren Sie mit einer anderen Adresse, um weiter per E-Mail zu lesen.',
    again: 'Wieder abonnieren',
    pause: 'Pause',
    pauseHint:
      'Bis zu diesem Tag kommt keine E-Mail. Was inzwischen erscheint, wird nicht nachgeschickt; hier bleibt es zu lesen.',
    pauseUntil: 'Pause bis',
    pauseButton: 'Pausieren',
    address: 'Andere Adresse',
    addressHint:
      'Wir schreiben an die neue Adresse. Sobald Sie dort bestätigen, tritt sie an die Stelle dieser.',
    newAddress: 'Neue E-Mail-Adresse',
    addressButton: 'Adresse ändern',
    data: 'Ihre Daten',
    dataHint: 'Alles, was wir über Sie gespeichert haben, als Datei.',
    export: 'Herunterladen',
    erase: 'Löschen',
    eraseHint:
      'Ihre Adresse und alles dazu wird sofort und endgültig gelöscht. Es bleibt eine Zahl, aus der sich die Adresse nicht ermitteln lässt; so kann kein Import Sie zurückholen.',
    eraseConfirm: 'Ja, alles löschen',
    eraseButton: 'Meine Daten löschen',
    leave: 'Abbestellen',
    leaveHint: 'Keine weiteren E-Mails. Sie können jederzeit wiederkommen.',
    leaveButton: 'Abbestellen',
  },
  unsubscribe: {
    title: 'Abbestellen',
    lead: (site) => `Soll „${site}“ Ihnen keine E-Mails mehr schicken?`,
    leadCategory: (category) =>
      `Soll „${category}“ künftig wegbleiben? Ihre anderen Rubriken bleiben, wie sie sind.`,
    button: 'Abbestellen',
    buttonCategory: (category) => `„${category}“ weglassen`,
    keep: 'Nein, lieber die Auswahl ändern',
  },
  unsubscribed: {
    title: 'Abbestellt',
    lead: 'Erledigt. Sie erhalten keine weiteren E-Mails von uns.',
    leadCategory: (category) => `Erledigt. „${category}“ bleibt künftig weg.`,
    change: 'Wiederkommen oder seltener Post bekommen',
    back: 'Zur Titelseite',
  },
  linkExpired: {
    title: 'Dieser Link gilt nicht mehr',
    lead: 'Er ist zu alt, wurde schon benutzt oder unterwegs abgeschnitten. An Ihrem Abonnement hat sich nichts geändert.',
    again: 'Geben Sie Ihre Adresse ein, dann schicken wir Ihnen einen neuen Link',
  },
  erased: {
    title: 'Ihre Daten sind gelöscht',
    lead: 'Weder Ihre Adresse noch Ihre Auswahl ist bei uns gespeichert. Es kommen keine weiteren E-Mails.',
  },
  archive: {
    title: 'Frühere Ausgaben',
    lead: 'Alle Beiträge, nach dem üblichen Zeitplan zu Ausgaben gesammelt.',
    empty: (schedule) =>
      `Noch ist keine Ausgabe des üblichen Zeitplans fällig gewesen. Er lautet: ${schedule}`,
    instant:
      'Nach dem üblichen Zeitplan geht jeder Beitrag sofort hinaus: Es gibt keine Ausgaben zu sammeln.',
    posts,
    more: (count) => plural('de', count, { one: 'und 1 weiterer', other: 'und # weitere' }),
  },
  outbox: {
    title: 'Postausgang',
    lead: 'E-Mails, die verschickt worden wären. Ohne Mailserver bleiben sie auf diesem Rechner, damit Sie sie ansehen können.',
    empty:
      'Noch keine E-Mail. Abonnieren Sie mit einer beliebigen Adresse, dann liegt die Bestätigung hier.',
    to: 'An',
    from: 'Von',
    html: 'Ansicht',
    text: 'Reiner Text',
    source: 'Quelltext',
    older: 'Ältere E-Mails',
    back: 'Alle E-Mails',
  },
  errors: {
    notFound: {
      title: 'Hier ist nichts',
      lead: 'Vielleicht wurde die Adresse abgeschnitten, oder die Seite ist umgezogen.',
    },
    gone: { title: 'Zurückgezogen', lead: 'Der Herausgeber hat diese Seite zurückgenommen.' },
    refused: {
      title: 'So geht es nicht',
      lead: 'Bitte gehen Sie zurück, ändern Sie, was unten steht, und versuchen Sie es noch einmal.',
    },
    notAllowed: {
      title: 'Hier haben Sie keinen Zutritt',
      lead: 'Für diese Seite brauchen Sie eine Berechtigung.',
    },
    conflict: {
      title: 'Jemand war schneller',
      lead: 'Inzwischen hat sich etwas geändert. Laden Sie die Seite neu und wiederholen Sie es.',
    },
    tooLarge: { title: 'Das ist zu viel auf einmal', lead: 'Bitte schicken Sie weniger.' },
    tooMany: {
      title: 'Zu viele Anfragen',
      lead: 'Bitte warten Sie ein wenig und versuchen Sie es dann noch einmal.',
    },
    fault: {
      title: 'Bei uns ist etwas schiefgegangen',
      lead: 'Verloren ist nichts. Bitte versuchen Sie es in einigen Minuten noch einmal.',
    },
    other: {
      title: 'Das hat nicht geklappt',
      lead: 'Bitte gehen Sie zurück und versuchen Sie es noch einmal.',
    },
    code: 'Kennung',
    home: 'Zur Titelseite',
  },
  mail: {
    subjectMore: (title, more) => `${title} (+${more} weitere)`,
    viewOnline: 'Im Web lesen',
    inThisIssue: 'In dieser Ausgabe',
    uncategorised: 'Weiteres',
    posts,
    andMore: (count) =>
      plural('de', count, { one: 'und 1 weiterer im Web', other: 'und # weitere im Web' }),
    why: (site, categories, cadence) =>
      categories
        ? `Das haben Sie bei „${site}“ bestellt, ${often[cadence]}: ${categories}.`
        : `Sie haben bei „${site}“ alles Neue bestellt, ${often[cadence]}.`,
    whyLetter: (site, categories) =>
      categories
        ? `Sie lesen bei „${site}“: ${categories}. Briefe gehen an alle, die das tun.`
        : `Sie lesen alles bei „${site}“; Briefe gehen an alle, die das tun.`,
    andOthers: (shown, others) => `${shown} und ${others} weitere`,
    preferences: 'Auswahl ändern',
    unsubscribe: 'Abbestellen',
    archive: 'Frühere Ausgaben',
    letterTooLong: 'Dieser Brief ist zu lang für eine E-Mail. Den Rest im Web lesen',
    confirmSubject: (site) => `Bitte bestätigen: E-Mails von „${site}“`,
    confirmLead: (site) =>
      `Diese Adresse wurde bei „${site}“ eingetragen, um E-Mails zu erhalten. Wenn Sie das waren, bestätigen Sie es bitte.`,
    confirmWhat: 'Das wurde bestellt',
    confirmButton: 'Abonnement bestätigen',
    confirmIgnore:
      'Wenn Sie das nicht waren, müssen Sie nichts tun: Es kommt keine weitere E-Mail.',
    everything: 'Alles',
    preferencesSubject: (site) => `Ihr Abonnement bei „${site}“`,
    preferencesLead: (site) =>
      `Diese Adresse wurde bei „${site}“ eingetragen und ist dort schon bekannt. Hier geht es zu Ihrem Abonnement.`,
    preferencesButton: 'Abonnement öffnen',
    preferencesIgnore: 'Wenn Sie das nicht waren, müssen Sie nichts tun: Alles bleibt, wie es ist.',
    addressSubject: (site) => `Bitte bestätigen Sie Ihre neue Adresse bei „${site}“`,
    addressLead: (site) =>
      `Jemand liest „${site}“ und möchte die E-Mails künftig an diese Adresse. Wenn Sie das sind, bestätigen Sie es bitte.`,
    addressButton: 'Diese Adresse verwenden',
    addressIgnore: 'Wenn Sie das nicht waren, müssen Sie nichts tun: Hierher kommt keine E-Mail.',
    orCopy: 'Oder kopieren Sie diese Adresse in Ihren Browser:',
    label: (text) => `${text}:`,
  },
}
