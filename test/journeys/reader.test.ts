import { readerJourney } from './reader-journey.ts'
import { openService } from './service.ts'

readerJourney('on one machine', openService)
