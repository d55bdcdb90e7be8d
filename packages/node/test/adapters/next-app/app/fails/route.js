import { protect } from '../../../../../dist/next.js'
import { fail, guard, readQuestion } from '../../contract.js'

export const GET = protect(guard, fail, { question: readQuestion })
