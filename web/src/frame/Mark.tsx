const dots = [6, 12, 18].flatMap((y) => [6, 12, 18].map((x) => [x, y] as const));

/** Nine services; one of them wants attention. */
export const Mark = ({ size = 22 }: { size?: number }) => (
  <svg viewBox="0 0 24 24" width={size} height={size} aria-hidden focusable="false">
    {dots.map(([x, y]) =>
      x === 12 && y === 12 ? (
        <circle key="c" cx={x} cy={y} r={3.1} fill="var(--mx-accent)" />
      ) : (
        <circle key={`${x}-${y}`} cx={x} cy={y} r={2} fill="currentColor" opacity={0.55} />
      ),
    )}
  </svg>
);
