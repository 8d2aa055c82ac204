import { readFileSync } from 'node:fs'
import { App, Validations } from 'aws-cdk-lib'
import { AwsSolutionsChecks } from 'cdk-nag'
import { readSettings } from '../functions/settings.ts'
import { ServiceStack } from './service-stack.ts'

/**
 * `npx cdk deploy`: no account, context or parameter is needed to synthesise. What the deployment
 * takes from the publisher stands in `broadsheet.yaml`; `-c name=value` chooses the rest:
 * `stack`, `edge=none`, `zoneId` and `zoneName`, `certificate`, `alarms`, `destroyData=true`, `sendEvents=false`.
 */
const app = new App()
const context = (name: string): string | undefined => app.node.tryGetContext(name)
const settings = readSettings({
  yaml: readFileSync(new URL('../broadsheet.yaml', import.meta.url), 'utf8'),
})

const host = new URL(settings.site.baseUrl).hostname
const mailDomain = settings.mail.from?.replace(/>\s*$/, '').split('@').pop()
const zoneId = context('zoneId')
const zoneName = context('zoneName')

new ServiceStack(app, context('stack') ?? 'Broadsheet', {
  edge: context('edge') === 'none' ? 'none' : 'cloudfront',
  ...(host === '127.0.0.1' || host === 'localhost' ? {} : { domain: host }),
  ...(zoneId && zoneName ? { hostedZone: { id: zoneId, name: zoneName } } : {}),
  ...(context('certificate') ? { certificateArn: context('certificate') as string } : {}),
  ...(mailDomain ? { mailDomain } : {}),
  ...(context('alarms') ? { alarmAddress: context('alarms') as string } : {}),
  destroyData: context('destroyData') === 'true',
  sendEvents: context('sendEvents') !== 'false',
})

Validations.of(app).addPlugins(new AwsSolutionsChecks(app))
