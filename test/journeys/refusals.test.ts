import { refusalJourney } from './refusal-journey.ts'
import { openService } from './service.ts'

refusalJourney('on one machine', openService)
