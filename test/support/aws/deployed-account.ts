import { CloudFormationClient } from '@aws-sdk/client-cloudformation'
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch'
import { SESv2Client } from '@aws-sdk/client-sesv2'
import type { AwsDoctorClients } from '../../../cli/doctor/aws.ts'
import { accountServer } from './account-server.ts'
import { scratchAwsPlatform } from './aws-platform.ts'
import { startAwsServers } from './aws-servers.ts'
import { siteServer } from './site-server.ts'
import { outputsOf } from './stack-outputs.ts'

/** An account of AWS with the stack `Test` in it, reached by real clients. Start once a file. */
export async function deployedAccount() {
  const [servers, cloud, site] = await Promise.all([
    startAwsServers(),
    accountServer(),
    siteServer(),
  ])
  const made = {
    region: 'eu-central-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    endpoint: cloud.url,
    maxAttempts: 1,
  }
  const clients: AwsDoctorClients = {
    cloudformation: new CloudFormationClient(made),
    cloudwatch: new CloudWatchClient(made),
    sesv2: new SESv2Client(made),
    dynamodb: servers.clients.dynamodb,
    sqs: servers.clients.sqs,
  }
  return {
    ...cloud,
    servers,
    site,
    clients,
    /** Deploys it anew, on an account in which all is well; the clock has come once. */
    async deploy() {
      cloud.reset()
      const platform = await scratchAwsPlatform(servers, {
        settings: { mail: { from: 'The News <news@news.example>' } },
      })
      site.serve(platform.doorways.web)
      cloud.account.stacks.Test = {
        outputs: outputsOf(platform, { address: site.url, configurationSet: 'set' }),
      }
      await platform.doorways.clock()
      return platform
    },
    async close() {
      for (const client of Object.values(clients)) client.destroy()
      await Promise.all([cloud.close(), site.close(), servers.close()])
    },
  }
}
