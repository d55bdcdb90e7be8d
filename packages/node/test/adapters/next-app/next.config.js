export default { turbopack: {} }
