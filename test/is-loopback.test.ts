import { expect, it } from 'vitest'
import { isLoopback } from '../functions/is-loopback.ts'

it.each([
  ['localhost', true],
  ['LocalHost', true],
  ['news.localhost', true],
  ['127.0.0.1', true],
  ['127.9.8.7', true],
  ['::1', true],
  ['[::1]', true],
  ['::ffff:127.0.0.1', true],
  ['[::ffff:7f00:1]', true],
  ['127.example.com', false],
  ['localhost.example.com', false],
  ['notlocalhost', false],
  ['128.0.0.1', false],
  ['0.0.0.0', false],
  ['::', false],
  ['::2', false],
  ['::ffff:192.0.2.1', false],
  ['news.example', false],
  ['', false],
])('whether %s can only mean this machine: %s', (host, is) => {
  expect(isLoopback(host)).toBe(is)
})
