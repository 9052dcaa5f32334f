// Fastify with @fastify/session and its store in memory.

import fastifyCookie from '@fastify/cookie'
import fastifySession from '@fastify/session'
import fastify from 'fastify'
import { announce, makeMany } from '../servers/server-task.ts'
import { flatContentOf, SECRET, task } from './serve.mjs'

const app = fastify()
await app.register(fastifyCookie)
await app.register(fastifySession, { secret: SECRET, cookie: { secure: false } })
app.get('/me', (request, reply) => {
  const { user } = request.session
  if (user === undefined) return reply.code(401).send({ id: null })
  return reply.send({ id: user.id, email: user.email })
})
app.post('/login/:n', (request, reply) => {
  for (const [name, value] of Object.entries(flatContentOf(Number(request.params.n)))) request.session.set(name, value)
  return reply.send({})
})
app.post('/logout', async (request, reply) => {
  await request.session.destroy()
  return reply.send({})
})
await app.listen({ port: 0, host: '127.0.0.1' })

const logIn = async (n) => {
  const { headers } = await app.inject({ method: 'POST', url: `/login/${n}` })
  return headers['set-cookie'].split(';')[0]
}
const cookies = await makeMany(task.sessions, logIn)
const dead = await logIn(task.sessions)
await app.inject({ method: 'POST', url: '/logout', headers: { cookie: dead } })
announce(task, app.server.address().port, { cookies, dead })
