import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'

/**
 * What the browser loads of a sample: the folder `public` beside the sample's code, or, since the build leaves it there,
 * beside the source of that.
 *
 * @param folder of the sample's code
 */
export function pageFolder(folder: string): string {
  const besideCode = join(folder, 'public')
  if (existsSync(besideCode)) return besideCode
  // From dist/samples/<name>.
  return join(folder, '../../../samples', basename(folder), 'public')
}
