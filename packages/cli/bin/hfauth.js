#!/usr/bin/env node
// Stands outside `dist` so that installing the workspace can link it before the first build.
import '../dist/main.js'
