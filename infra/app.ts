import { readFileSync } from 'node:fs'
import { App, Validations } from 'aws-cdk-lib'
import { AwsSolutionsChecks } from 'cdk-nag'
import { readSettings } from '../functions/settings/settings-file.ts'
import { stackProps } from './options.ts'
import { ServiceStack } from './service-stack.ts'

/**
 * `npx cdk deploy`: no account, context or parameter is needed to synthesise. What the deployment
 * takes from the publisher stands in `broadsheet.yaml`; `-c name=value` chooses the rest.
 */
const app = new App()
const settings = readSettings({
  yaml: readFileSync(new URL('../broadsheet.yaml', import.meta.url), 'utf8'),
})
const { stackName, ...props } = stackProps(
  (name) => app.node.tryGetContext(name),
  settings,
  // Told by `cdk`: where it would deploy.
  process.env.CDK_DEFAULT_REGION,
)

new ServiceStack(app, stackName, props)

Validations.of(app).addPlugins(new AwsSolutionsChecks(app))
