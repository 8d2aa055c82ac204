import { setTimeout as wait } from 'node:timers/promises'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { assertObjectKey } from '../assert-object-key.ts'
import type { ObjectStore, StoredObject } from '../platform.ts'
import { statusOf } from './sdk-status.ts'

/** How often a write is tried that S3 answers with 409: another of the same key is under way. */
const conflictTries = 4

/**
 * Objects in one bucket. A failed precondition is told by its HTTP status, 412 or 409, not by a
 * name: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html
 *
 * ETags are S3's own: of the bytes, as long as the bucket encrypts with S3-managed keys and objects
 * are put in one piece, as they are here.
 */
export function s3ObjectStore({
  client,
  bucket,
}: {
  client: S3Client
  bucket: string
}): ObjectStore {
  return {
    // https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    async get(key) {
      assertObjectKey(key)
      try {
        const found = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
        const body = (await found.Body?.transformToByteArray()) ?? new Uint8Array()
        const object: StoredObject = {
          body,
          contentType: found.ContentType ?? 'application/octet-stream',
          etag: bare(found.ETag),
          lastModified: found.LastModified ?? new Date(0),
        }
        if (found.CacheControl) object.cacheControl = found.CacheControl
        const version = found.Metadata?.version
        if (version) object.version = decodeURIComponent(version)
        return object
      } catch (error) {
        if (statusOf(error) === 404) return undefined
        throw error
      }
    },

    // https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
    async put(key, body, options) {
      assertObjectKey(key)
      for (let attempt = 1; ; attempt++) {
        try {
          const stored = await client.send(
            new PutObjectCommand({
              Bucket: bucket,
              Key: key,
              Body: body,
              ContentType: options.contentType,
              ...(options.contentEncoding ? { ContentEncoding: options.contentEncoding } : {}),
              // Metadata travels as a header: percent-encoded, so that any text survives.
              ...(options.version === undefined
                ? {}
                : { Metadata: { version: encodeURIComponent(options.version) } }),
              ...(options.cacheControl ? { CacheControl: options.cacheControl } : {}),
              ...(options.ifAbsent ? { IfNoneMatch: '*' } : {}),
              ...(options.ifMatch ? { IfMatch: `"${options.ifMatch}"` } : {}),
            }),
          )
          return { status: 'stored', etag: bare(stored.ETag) }
        } catch (error) {
          const status = statusOf(error)
          if (status === 409 && attempt < conflictTries) {
            // Nothing was stored. The other write has ended by then, and one of all racers must win.
            await wait(25 * 2 ** attempt * (0.5 + Math.random() / 2))
            continue
          }
          const isConditional = options.ifAbsent || options.ifMatch !== undefined
          if (isConditional && (status === 412 || status === 409 || status === 404)) {
            return { status: 'conflict' }
          }
          throw error
        }
      }
    },

    // https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html
    async delete(key) {
      assertObjectKey(key)
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }))
    },

    // https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
    async list(prefix, { after, limit = 1000 } = {}) {
      const page = await client.send(
        new ListObjectsV2Command({
          Bucket: bucket,
          Prefix: prefix,
          MaxKeys: Math.min(limit, 1000),
          ...(after === undefined ? {} : { StartAfter: after }),
        }),
      )
      const objects = (page.Contents ?? []).map((item) => ({
        key: item.Key ?? '',
        etag: bare(item.ETag),
        size: item.Size ?? 0,
        lastModified: item.LastModified ?? new Date(0),
      }))
      return { objects, more: page.IsTruncated ?? false }
    },
  }
}

function bare(etag: string | undefined) {
  return (etag ?? '').replace(/^W\//, '').replaceAll('"', '')
}
