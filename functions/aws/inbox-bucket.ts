import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type S3Client,
} from '@aws-sdk/client-s3'
import { objectKeys } from '../keys.ts'
import { statusOf } from './sdk-status.ts'

/**
 * Files that people put under `inbox/`, by whatever keys S3 takes: a name that is not composed, as
 * Mac tools write it, `a//b`, a tab. `ObjectStore` is for keys that we make and refuses those.
 */
export interface InboxBucket {
  /** Without bytes when there are more than `most`: they are not read. */
  get(key: string, most: number): Promise<{ etag: string; bytes?: Uint8Array } | undefined>
  has(key: string): Promise<boolean>
  /** Removes the file unless it was saved anew since it was read. */
  remove(key: string, etag: string): Promise<void>
  /** A thousand at most, after the key `after`, in the order of their bytes; refused ones among them. */
  list(after?: string): Promise<{ files: { key: string; lastModified: Date }[]; more: boolean }>
}

export function inboxBucket({ client, bucket }: { client: S3Client; bucket: string }): InboxBucket {
  return {
    async get(key, most) {
      try {
        const found = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
        const { Body, ContentLength = 0, ETag = '' } = found
        if (ContentLength <= most) {
          return { etag: ETag, bytes: (await Body?.transformToByteArray()) ?? new Uint8Array() }
        }
        if (Body && 'destroy' in Body) Body.destroy()
        return { etag: ETag }
      } catch (error) {
        if (statusOf(error) === 404) return undefined
        throw error
      }
    },

    async has(key) {
      try {
        await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }))
        return true
      } catch (error) {
        if (statusOf(error) === 404) return false
        throw error
      }
    },

    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html
    async remove(key, etag) {
      try {
        await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key, IfMatch: etag }))
      } catch (error) {
        // Saved anew (412), just now (409), or gone.
        if (![404, 409, 412].includes(statusOf(error) ?? 0)) throw error
      }
    },

    async list(after) {
      const page = await client.send(
        new ListObjectsV2Command({
          Bucket: bucket,
          Prefix: objectKeys.inbox,
          // XML cannot say every character that a key may have.
          EncodingType: 'url',
          ...(after === undefined ? {} : { StartAfter: after }),
        }),
      )
      const files = (page.Contents ?? []).map(({ Key = '', LastModified = new Date(0) }) => ({
        key: decodeURIComponent(Key.replaceAll('+', '%20')),
        lastModified: LastModified,
      }))
      return { files, more: page.IsTruncated ?? false }
    },
  }
}
