// Where the flows are mounted. Pages post their forms there.

export const AUTH_MOUNT = '/auth'
