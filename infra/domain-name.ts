/**
 * Where CloudFront looks for certificates:
 * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cnames-and-https-requirements.html
 */
export const edgeRegion = 'us-east-1'

/** Says why a certificate cannot be made by a stack in this region, and what to do. */
export function wrongRegion(region: string): string {
  return `The stack lies in ${region}, and CloudFront takes only certificates of ${edgeRegion}. Make one for the domain there (AWS Certificate Manager) and give its ARN: -c certificate=arn:aws:acm:${edgeRegion}:…`
}

/** Whether a name is the zone's own or one below it. */
export function liesIn(name: string, zone: string): boolean {
  const [inner, outer] = [name, zone].map((one) => one.toLowerCase().replace(/\.$/, ''))
  return inner === outer || inner?.endsWith(`.${outer}`) === true
}
