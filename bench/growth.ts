import { NOTE_ON_CORES } from './cores.ts'
import { environment } from './environment.ts'
import { growthOfDeliveries } from './growth-deliveries.ts'
import { growthOfClients, growthOfMessages } from './growth-memory.ts'
import { cellsOf, type Growth, rowsOf, sizesOf } from './growth-of.ts'
import { growthOfSends } from './growth-sends.ts'
import { markdownTable, origin } from './markdown.ts'
import { OtherLoad } from './other-load.ts'
import { plot } from './plot.ts'
import { isWriting, writeChart, writeFigures } from './publish.ts'
import { tableOf } from './table.ts'

/** What the channel costs when there is more and more of something. Nothing is bound: it says how the figures grow. */

const otherLoad = new OtherLoad()

/** What is written of one, for README.md. */
function sectionOf(growth: Growth): string {
  const { name, title, xLabel, unit, series } = growth
  const chart = writeChart(name, plot({ title, xLabel, yLabel: unit, series }))
  const { head, rows } = cellsOf(growth)
  return [markdownTable(head, rows), `![${title}](${chart})`].join('\n\n')
}

function print(growth: Growth): void {
  const sides = sizesOf(growth).map((size) => size.toLocaleString('en'))
  const title = `${growth.title}, by ${growth.xLabel}`
  const lines = tableOf({
    name: growth.name,
    title,
    sides,
    rows: rowsOf(growth),
    notes: [],
    versions: [],
  })
  console.log(lines.join('\n'))
}

const deliveries = await growthOfDeliveries(otherLoad)
const { growth: sends, idle } = await growthOfSends(otherLoad)
const all = [deliveries, sends, await growthOfClients(), await growthOfMessages()]
const notes = [idle, NOTE_ON_CORES, ...otherLoad.notes()]
for (const growth of all) print(growth)
console.log(notes.join('\n'))
if (isWriting) {
  const sections = [...all.map(sectionOf), notes.join(' ')]
  const source = origin(new Date(), 'npm run bench -- growth', environment('koa'))
  writeFigures('growth', [...sections, source].join('\n\n'))
}
