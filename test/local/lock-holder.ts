// Holds the lock of a folder until it is killed.
import { lockFolder } from '../../functions/local/folder-lock.ts'

lockFolder(process.argv[2] ?? '')
process.stdout.write('held\n')
// Never longer than a test may take.
setTimeout(() => {}, 30_000)
