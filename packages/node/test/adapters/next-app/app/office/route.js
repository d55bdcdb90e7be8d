import { protect } from '../../../../../dist/next.js'
import { guard, officeQuestion, seen } from '../../contract.js'

const show = (_request, _context, admission) => Response.json(seen(admission))
export const GET = protect(guard, show, { question: officeQuestion })
