// Data for every view, each field filled, so that a test sees all that a template can show.

import { fillField } from '../../../server/views/field.ts'
import {
  EMAIL,
  IDENTITY,
  NEW_PASSWORD,
  NEW_PASSWORD_CONFIRM,
  PASSWORD,
  profileField,
} from '../../../server/views/form-fields.ts'
import { moment } from '../../../server/views/moment.ts'
import type { DeviceItem, Frame, ViewData, ViewName } from '../../../server/views/view-data.ts'

const NOW = Date.UTC(2026, 10, 24, 22, 55)
const wrong = {
  errors: { identity: 'wrong', email: 'wrong', password: 'wrong', bio: 'wrong' },
  values: { bio: 'I am' },
}

const identity = fillField('f', IDENTITY, { ...wrong, values: { identity: 'ada@example.com' } })
const email = fillField('f', EMAIL, { ...wrong, values: { email: 'ada@example.com' } })
const password = fillField('f', { ...PASSWORD, hint: 'hint' }, wrong)
const newPassword = fillField('g', NEW_PASSWORD, wrong)
const passwordConfirm = fillField('g', NEW_PASSWORD_CONFIRM, {})
const profile = [
  fillField('p', profileField('displayName'), { stored: 'Ada' }),
  fillField('p', { ...profileField('bio'), hint: 'hint' }, wrong),
]
const user = { id: 'u1', email: 'grace@example.com', roles: ['editor'], verified: false }

const device = (current: boolean): DeviceItem => ({
  id: 'handle',
  current,
  device: 'Firefox on Linux',
  handheld: current,
  ip: '203.0.113.0/24',
  createdAt: moment(NOW - 7_200_000, NOW),
  lastSeenAt: moment(NOW - 300_000, NOW),
  expiresAt: moment(NOW + 86_400_000, NOW),
})

export const samples: ViewData = {
  home: { registration: true },
  login: { ended: 'Ended.', identity, password, remember: true, returnTo: '/reports' },
  register: { email, password: newPassword, passwordConfirm, profile, returnTo: '/reports' },
  'forgot-password': { email },
  'reset-password': { linked: true, password: newPassword, passwordConfirm },
  'verify-email': { linked: false, verified: false, email: 'ada@example.com' },
  account: {
    email: 'ada@example.com',
    verified: false,
    profile,
    currentPassword: password,
    password: newPassword,
    passwordConfirm,
  },
  devices: { sessions: [device(true), device(false)], others: 1, fresh: true, password },
  admin: {
    query: 'grace',
    users: [user],
    selected: { user, sessions: [device(false)] },
    missing: true,
  },
  'not-found': { message: 'There is nothing at this address.', path: '/nowhere' },
  error: { status: 503, heading: 'Later', message: 'Not now.', retry: '/account' },
}

export function frameFor(view: ViewName, more: Partial<Frame> = {}): Frame {
  return {
    view,
    title: 'Title',
    brand: 'app.example.com',
    nonce: 'nonce',
    assets: { stylesheet: '/style.css', script: '/enhance.js', icon: '/icon.svg' },
    csrf: 'token',
    mount: '/auth',
    links: { home: '/', login: '/login', register: '/register' },
    visitor: { name: 'ada@example.com', admin: true },
    notice: null,
    summary: null,
    ...more,
  }
}
