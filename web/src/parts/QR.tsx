import { useMemo } from 'react';
import { encode } from 'uqr';

/** A text as a QR code. Dark on light in either theme: not every camera reads the reverse. */
export function QR({ text, label, size = 192 }: { text: string; label: string; size?: number }) {
  const code = useMemo(() => encode(text, { ecc: 'M', border: 4 }), [text]);
  const path = code.data.flatMap((line, y) => line.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ''))).join('');
  return (
    <svg
      role="img"
      aria-label={label}
      width={size}
      height={size}
      viewBox={`0 0 ${code.size} ${code.size}`}
      shapeRendering="crispEdges"
      style={{ borderRadius: 6, flex: 'none' }}
    >
      <path d={`M0 0h${code.size}v${code.size}h-${code.size}z`} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
