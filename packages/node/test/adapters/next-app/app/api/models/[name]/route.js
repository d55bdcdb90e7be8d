import { protect } from '../../../../../../../dist/next.js'
import { guard, reach, seen } from '../../../../contract.js'

export const GET = protect(guard, (request, _context, admission) => {
  reach(request.nextUrl.pathname)
  return Response.json(seen(admission))
})
