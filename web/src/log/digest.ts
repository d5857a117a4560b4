/** A picture of a digest: two that differ look different, to people who do not see colours too. */

export interface Cell {
  x: number
  y: number
  height: number
  fill: string
}

/** How wide and high the picture is, in cells' units. */
export const width = 48
export const height = 16
const cells = 8

/** Eight cells, each of four bytes; none for what is no digest. */
export function picture(digest: string): Cell[] {
  if (!/^[0-9a-f]{64}$/.test(digest)) return []
  return Array.from({ length: cells }, (_, i) => {
    const [hue = 0, shade = 0, tall = 0] = [0, 2, 4].map((at) => Number.parseInt(digest.slice(8 * i + at, 8 * i + at + 2), 16))
    const part = Math.floor(tall / 64) + 1 // 1 to 4 quarters
    const high = (height * part) / 4
    return {
      x: (width / cells) * i, y: height - high, height: high,
      fill: `hsl(${Math.round((hue * 360) / 256)} ${45 + (shade % 4) * 12}% ${38 + Math.floor(shade / 64) * 9}%)`,
    }
  })
}

export function shortened(digest: string): string {
  return digest.length > 12 ? `${digest.slice(0, 12)}…` : digest
}
