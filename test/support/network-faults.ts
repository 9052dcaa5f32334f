// The faults that a network and a dying server make, the same for every store.

import type { Fault } from './fault-report.ts'
import type { FaultProxy } from './fault-proxy.ts'
import type { StoreServer } from './store-servers.ts'

const DELAY_MS = 5000
/** Answers that each visitor waits for while the fault lasts: few where each takes as long as the deadline. */
const SLOW = 2
const QUICK = 6

export function networkFaults(proxy: () => FaultProxy): readonly Fault[] {
  const during = async (load: Parameters<Fault['run']>[0], answers: number): Promise<number> => {
    await load.untilAnswered(answers)
    await proxy().heal()
    return performance.now()
  }
  return [
    {
      name: 'connection refused',
      isFelt: true,
      run: async (load) => {
        await proxy().refuse()
        return during(load, QUICK)
      },
    },
    {
      name: 'connections reset',
      isFelt: 'maybe',
      run: (load) => {
        proxy().reset()
        return during(load, QUICK)
      },
    },
    {
      name: 'hang',
      isFelt: true,
      run: (load) => {
        proxy().hang()
        return during(load, SLOW)
      },
    },
    {
      name: 'answers 5 s late',
      isFelt: true,
      run: (load) => {
        proxy().delay(DELAY_MS)
        return during(load, SLOW)
      },
    },
    {
      name: 'half-open connections',
      isFelt: 'maybe',
      run: async (load) => {
        // New connections work at once.
        const since = performance.now()
        proxy().halfOpen()
        await load.untilAnswered(QUICK)
        return since
      },
    },
    {
      name: 'answers lost after the write',
      isFelt: 'maybe',
      run: (load) => {
        proxy().loseAnswers(10)
        return during(load, 5 * QUICK)
      },
    },
  ]
}

export function deadServer(server: () => StoreServer): Fault {
  return {
    name: 'server killed and started again',
    isFelt: true,
    run: async (load) => {
      await server().kill()
      await load.untilAnswered(QUICK)
      await server().restart()
      return performance.now()
    },
  }
}
