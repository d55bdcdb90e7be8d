/**
 * Helm template: renders the few words that our chart uses, and fails at any other.
 *
 * Enough to see that what comes out is YAML with the values in their places; Helm itself is not on every machine.
 *
 * @module
 */
type Values = Readonly<Record<string, unknown>>

export function renderTemplate(text: string, scope: Values): string {
  const chosen = text.replaceAll(
    /\{\{-? if ([^}]+?) \}\}([\s\S]*?)\{\{-? end \}\}/g,
    (_, condition: string, body: string) => (evaluate(condition, scope) ? body : ''),
  )
  return chosen.replaceAll(/\{\{ ([^}]+?) \}\}/g, (_, expression: string) =>
    String(evaluate(expression, scope)),
  )
}

function evaluate(expression: string, scope: Values): unknown {
  const [first = '', ...filters] = expression.split(' | ')
  let value = call(tokens(first), scope)
  for (const filter of filters) {
    if (filter.trim() !== 'toJson') throw new Error(`the check knows no filter ${filter}`)
    value = JSON.stringify(value)
  }
  return value
}

function tokens(text: string): string[] {
  return text.trim().match(/\((?:[^()]|\([^()]*\))*\)|"[^"]*"|\S+/g) ?? []
}

function call([name = '', ...args]: string[], scope: Values): unknown {
  const read = (token: string): unknown => {
    if (token.startsWith('(')) return call(tokens(token.slice(1, -1)), scope)
    if (token.startsWith('"')) return token.slice(1, -1)
    if (/^\d+$/.test(token)) return Number(token)
    return lookUp(token, scope)
  }
  switch (name) {
    case 'printf':
      return args
        .slice(1)
        .reduce((text: string, arg) => text.replace('%s', String(read(arg))), String(read(args[0] ?? '')))
    case 'dict':
      return Object.fromEntries(
        args.flatMap((arg, i) => (i % 2 === 0 ? [[read(arg), read(args[i + 1] ?? '')]] : [])),
      )
    case 'merge':
      return Object.assign({}, ...args.map(read).reverse())
    default:
      return read(name)
  }
}

function lookUp(path: string, scope: Values): unknown {
  if (!path.startsWith('.')) throw new Error(`the check knows no word ${path}`)
  let value: unknown = scope
  for (const name of path.slice(1).split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name))
      throw new Error(`no value ${path}`)
    value = (value as Values)[name]
  }
  return value
}
