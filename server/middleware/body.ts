// Reads request bodies with small limits. What somebody has parsed before is taken as it is.

import express, { type Request, type RequestHandler, type Response } from 'express'
import { ProblemError } from '../errors.ts'
import { toProblem } from './to-problem.ts'

/** Enough for a long text field; a host with larger forms parses them itself, before `csrf()`. */
const MAX_BYTES = 100 * 1024
const MAX_FIELDS = 1000
/** Compressed bodies are refused: a small one can hold gigabytes. */
const parseForm = express.urlencoded({ extended: false, limit: MAX_BYTES, parameterLimit: MAX_FIELDS, inflate: false })
const parseJson = express.json({ limit: MAX_BYTES, inflate: false, strict: true })

/** Fields of an urlencoded form; empty where there is no body. @throws ProblemError 400, 413, 415 */
export async function readForm(req: Request, res: Response): Promise<Readonly<Record<string, unknown>>> {
  return asObject(await read(parseForm, req, res))
}

/** A JSON object; empty where there is no body. @throws ProblemError 400, 413, 415 */
export async function readJson(req: Request, res: Response): Promise<Readonly<Record<string, unknown>>> {
  return asObject(await read(parseJson, req, res))
}

/** Whether a body follows the head (RFC 9112, 6). */
export function hasBody(req: Request): boolean {
  const length = req.headers['content-length']
  return req.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0')
}

async function read(parser: RequestHandler, req: Request, res: Response): Promise<unknown> {
  if (req.body !== undefined) return req.body
  await new Promise<void>((resolve, reject) => {
    // A parser answers by its callback alone.
    void parser(req, res, (error?: unknown) => (error === undefined ? resolve() : reject(toProblem(error))))
  })
  return req.body
}

function asObject(body: unknown): Readonly<Record<string, unknown>> {
  if (body === undefined || body === null) return {}
  if (typeof body !== 'object' || Array.isArray(body))
    throw new ProblemError('invalid_request', 'The body must be an object.')
  return body as Readonly<Record<string, unknown>> // neither null nor a list: its fields are still unknown
}
