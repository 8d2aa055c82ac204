let known: readonly [string, readonly string[]][] | undefined

/** All zones by continent, as a browser's own list; `chosen` is there even if the list lacks it. */
export function TimeZoneOptions({ chosen }: { chosen: string }) {
  known ??= byRegion()
  const isListed = known.some(([, zones]) => zones.includes(chosen))
  return (
    <>
      {!isListed && (
        <option value={chosen} selected>
          {chosen}
        </option>
      )}
      {known.map(([region, zones]) => (
        <optgroup label={region}>
          {zones.map((zone) => (
            <option value={zone} selected={zone === chosen}>
              {zone.slice(zone.indexOf('/') + 1).replaceAll('_', ' ')}
            </option>
          ))}
        </optgroup>
      ))}
    </>
  )
}

function byRegion(): [string, string[]][] {
  const regions = new Map<string, string[]>([['UTC', ['UTC']]])
  for (const zone of Intl.supportedValuesOf('timeZone')) {
    if (!zone.includes('/')) continue
    const region = zone.slice(0, zone.indexOf('/'))
    regions.set(region, [...(regions.get(region) ?? []), zone])
  }
  return [...regions]
}
