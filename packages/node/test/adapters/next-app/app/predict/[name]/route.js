import { protect } from '../../../../../../dist/next.js'
import { guard, question } from '../../../contract.js'

export const POST = protect(guard, (request) => new Response(request.body), {
  question: async (_request, { params }) => question((await params).name),
})
