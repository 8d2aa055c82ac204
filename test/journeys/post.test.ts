import { postJourney } from './post-journey.ts'
import { openService } from './service.ts'

postJourney('on one machine', openService)
