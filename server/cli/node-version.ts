// The Node that the product needs: `node:sqlite`, and `require()` of ES modules.

/** As in `engines` of the package. */
export const WANTED_NODE = '24.15'

export function isNodeNewEnough(version: string): boolean {
  const [wantedMajor = 0, wantedMinor = 0] = WANTED_NODE.split('.').map(Number)
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)
}
