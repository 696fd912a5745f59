// What a file is, by its first bytes.

const text = (bytes, from, to) => String.fromCharCode(...bytes.subarray(from, to));

const KINDS = [
  { name: "PNG picture", ending: "png", type: "image/png", starts: "\x89PNG\r\n\x1a\n" },
  { name: "JPEG picture", ending: "jpg", type: "image/jpeg", starts: "\xff\xd8\xff" },
  { name: "GIF picture", ending: "gif", type: "image/gif", starts: "GIF8" },
  { name: "WebP picture", ending: "webp", type: "image/webp", starts: "RIFF", at8: "WEBP" },
  { name: "BMP picture", ending: "bmp", type: "image/bmp", starts: "BM", least: 26 },
  { name: "PDF document", ending: "pdf", starts: "%PDF-" },
  { name: "ZIP archive", ending: "zip", starts: "PK\x03\x04" },
  { name: "GZIP archive", ending: "gz", starts: "\x1f\x8b\x08" },
  { name: "TIFF picture", ending: "tif", starts: "II*\x00" },
  { name: "TIFF picture", ending: "tif", starts: "MM\x00*" },
];

/**
 * What bytes are, as far as their start tells.
 *
 * @param {Uint8Array} bytes
 * @returns {{name: string, ending: string, type?: string, picture: boolean} | null}
 */
export function kindOfBytes(bytes) {
  const found = KINDS.find(
    ({ starts, at8 = "", least = 0 }) =>
      bytes.length >= least && text(bytes, 0, starts.length) === starts && text(bytes, 8, 8 + at8.length) === at8,
  );
  return found ? { name: found.name, ending: found.ending, type: found.type, picture: Boolean(found.type) } : null;
}
