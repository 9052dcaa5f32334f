// One connection to one server that is made again whenever it is lost, for as long as the store is open. Calls never queue for
// a server that is away: they fail at once.

import type { RedisAddress } from './config.ts'
import type { OnInvalidate, RedisArgument, RedisClient, RedisClientSettings, RedisDriver } from './driver.ts'
import { Lease } from './lease.ts'
import type { RowReading } from './row-cache.ts'
import { TimeLimit } from './time-limit.ts'

/** The connection went while a command was on its way: it may have been done or not. */
export class ConnectionLostError extends Error {
  override readonly name = 'ConnectionLostError'
}

/** There is no connection; the command was not sent. */
export class NotConnectedError extends Error {
  override readonly name = 'NotConnectedError'
}

export interface RedisRequest {
  readonly args: readonly RedisArgument[]
  /** Answer bytes as Buffers, and maps as flat arrays. */
  readonly buffers?: boolean
  /** Redis is to say when the key is changed, and the lease is noted here with the answer. */
  readonly reading?: RowReading
}

/** What is read may be kept: Redis says on the connection when it is changed. */
export interface RedisTracking {
  readonly onInvalidate: OnInvalidate
  readonly leaseMs: number
}

export interface RedisConnectionOptions {
  readonly driver: RedisDriver
  readonly settings: RedisClientSettings
  /** Where the server is now; asked before each attempt to connect. */
  readonly locate: () => Promise<RedisAddress> | RedisAddress
  /** Refuses a server that is not the one wanted, by its answer to ROLE. */
  readonly check?: (role: unknown) => void
  /** Sent first. A server that refuses it is used all the same. */
  readonly prepare?: readonly RedisRequest[]
  readonly tracking?: RedisTracking
}

const FIRST_PAUSE_MS = 25
const LONGEST_PAUSE_MS = 400
/** Only for keys that are asked for: lists and scripts read many that nobody keeps. */
const TRACK = ['CLIENT', 'TRACKING', 'ON', 'OPTIN']
/** Holds for the next command. */
const TRACK_NEXT = ['CLIENT', 'CACHING', 'YES']

export class RedisConnection {
  readonly #options: RedisConnectionOptions
  #client: RedisClient | undefined
  /** Pending while the first attempt runs; rejected from then on until there is a connection. */
  #connected: Promise<RedisClient> | undefined
  #address: RedisAddress | undefined
  /** Of the present connection, where Redis says on it what is changed. */
  #lease: Lease | undefined
  #timer: NodeJS.Timeout | undefined
  #answers = 0
  #isClosed = false

  constructor(options: RedisConnectionOptions) {
    this.#options = options
  }

  /** The server that it is connected to. */
  get address(): RedisAddress | undefined {
    return this.#client && this.#address
  }

  /** Waits for the connection where it is just being made. */
  async connect(limit: TimeLimit): Promise<void> {
    await limit.race(this.#ready())
  }

  async send(request: RedisRequest, limit: TimeLimit): Promise<unknown> {
    const [answer] = await this.sendTogether([request], limit)
    if (answer?.status === 'fulfilled') return answer.value
    throw answer?.reason
  }

  /** Sends all on the same connection, one right behind the other. */
  async sendTogether(
    requests: readonly RedisRequest[],
    limit: TimeLimit,
  ): Promise<readonly PromiseSettledResult<unknown>[]> {
    const client = this.#client ?? (await limit.race(this.#ready()))
    if (limit.isOver) throw limit.error()
    const before = this.#answers
    const answers = requests.map((request) => this.#write(client, request))
    return limit.race(Promise.allSettled(answers), () => {
      // Redis answers in order. Not one answer in all this time: it stalls, or nobody is there any more.
      if (this.#answers === before) this.drop(client)
    })
  }

  /** Gives up the present connection; the next one may go to another server. */
  drop(client = this.#client): void {
    if (client === undefined || client !== this.#client) return
    this.#client = undefined
    this.#lease?.end()
    client.destroy()
    if (!this.#isClosed) void this.#start()
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#lease?.end()
    this.#client?.destroy()
    this.#client = undefined
  }

  async #write(client: RedisClient, { args, buffers, reading }: RedisRequest): Promise<unknown> {
    const { driver } = this.#options
    const lease = reading && client === this.#client ? this.#lease : undefined
    const isTracked = lease && succeeds(client.sendCommand(TRACK_NEXT, {}))
    try {
      const answer = await client.sendCommand(args, buffers ? driver.asBuffers : {})
      this.#answers += 1
      if (reading && (await isTracked)) reading.lease = lease
      return answer
    } catch (error) {
      if (!driver.isReply(error)) {
        this.drop(client)
        throw new ConnectionLostError('redis: the connection was lost', { cause: error })
      }
      this.#answers += 1
      // The server became a replica: the master is another one now.
      if (error.message.startsWith('READONLY')) this.drop(client)
      throw error
    }
  }

  #ready(): Promise<RedisClient> {
    if (this.#isClosed) return Promise.reject(new NotConnectedError('redis: the store is closed'))
    return this.#connected ?? this.#start()
  }

  #start(): Promise<RedisClient> {
    const connected = this.#connectOnce()
    this.#connected = connected
    connected.catch(() => this.#tryLater(FIRST_PAUSE_MS))
    return connected
  }

  #tryLater(pauseMs: number): void {
    if (this.#isClosed) return
    // Processes that lost the same server must not come back in step.
    this.#timer = setTimeout(() => void this.#tryAgain(pauseMs), pauseMs * (0.5 + Math.random())).unref()
  }

  async #tryAgain(pauseMs: number): Promise<void> {
    try {
      this.#connected = Promise.resolve(await this.#connectOnce())
    } catch {
      // Those who call meanwhile are told why by the first attempt's error.
      this.#tryLater(Math.min(pauseMs * 2, LONGEST_PAUSE_MS))
    }
  }

  async #connectOnce(): Promise<RedisClient> {
    const { driver, settings, locate, check, tracking, prepare = [] } = this.#options
    const limit = new TimeLimit(settings.timeoutMs)
    let client: RedisClient | undefined
    try {
      const address = await limit.race(Promise.resolve(locate()))
      const made = driver.createClient(address, settings, tracking?.onInvalidate)
      client = made
      // Whatever goes wrong reaches those who wait for an answer; without a listener it would end the process.
      made.on('error', () => this.drop(made))
      made.on('terminated', () => this.drop(made))
      await limit.race(made.connect())
      if (check) check(await limit.race(made.sendCommand(['ROLE'], {})))
      await limit.race(Promise.allSettled(prepare.map(({ args }) => made.sendCommand(args, {}))))
      const lease = tracking && (await limit.race(startLease(made, tracking.leaseMs)))
      if (this.#isClosed) throw new Error('redis: the store was closed')
      this.#address = address
      this.#lease = lease
      this.#client = made
      return made
    } catch (error) {
      client?.destroy()
      throw new NotConnectedError('redis: the server cannot be reached', { cause: error })
    }
  }
}

/** None where the server does not say what is changed: then nothing is kept. */
async function startLease(client: RedisClient, leaseMs: number): Promise<Lease | undefined> {
  if (!(await succeeds(client.sendCommand(TRACK, {})))) return undefined
  // A PING would be answered by a node that has lost the slot, or its cluster. This is not.
  return new Lease((rowName) => client.sendCommand(['EXISTS', rowName], {}), leaseMs)
}

async function succeeds(answer: Promise<unknown>): Promise<boolean> {
  try {
    await answer
    return true
  } catch {
    return false
  }
}
