import { Button, NumberInput, Popover, TextInput } from '@mantine/core';
import { IconMarquee2 } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Rectangle } from '../../api/scatter.ts';
import { localSeconds } from '../../format/time.ts';

interface Props {
  axes: { from: number; to: number; top: number };
  selected?: Rectangle;
  onSelect: (rectangle: Rectangle | undefined) => void;
}

/** Selects by numbers what a pointer would select by dragging. */
export function SelectForm({ axes, selected, onSelect }: Props) {
  const { t } = useTranslation();
  const [opened, setOpened] = useState(false);
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-end" width={260} trapFocus shadow="md">
      <Popover.Target>
        <Button variant="default" size="xs" leftSection={<IconMarquee2 size={14} />} onClick={() => setOpened(!opened)}>
          {t('scatter.select')}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        {opened && (
          <Fields
            start={selected ?? { from: axes.from, to: axes.to, min: 0, max: axes.top }}
            onSelect={(rectangle) => {
              setOpened(false);
              onSelect(rectangle);
            }}
          />
        )}
      </Popover.Dropdown>
    </Popover>
  );
}

function Fields({ start, onSelect }: { start: Rectangle; onSelect: (rectangle: Rectangle) => void }) {
  const { t } = useTranslation();
  const [from, setFrom] = useState(localSeconds(start.from));
  const [to, setTo] = useState(localSeconds(start.to + 999));
  const [min, setMin] = useState<string | number>(Math.floor(start.min / 1e3));
  const [max, setMax] = useState<string | number>(Math.ceil(start.max / 1e3));
  const [least, most] = [Number(min || 0), Number(max || 0)];
  const late = !from || !to || from > to;
  const small = !(least <= most);
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        if (late || small) return;
        onSelect({ from: Date.parse(from), to: Date.parse(to) + 999, min: least * 1e3, max: most * 1e3 + 999 });
      }}
    >
      <TextInput
        type="datetime-local"
        step={1}
        label={t('scatter.from')}
        value={from}
        onChange={(e) => setFrom(e.currentTarget.value)}
      />
      <TextInput
        type="datetime-local"
        step={1}
        label={t('scatter.to')}
        value={to}
        onChange={(e) => setTo(e.currentTarget.value)}
        error={late && t('range.wrong')}
      />
      <NumberInput label={t('scatter.min')} suffix=" ms" min={0} allowDecimal={false} value={min} onChange={setMin} />
      <NumberInput
        label={t('scatter.max')}
        suffix=" ms"
        min={0}
        allowDecimal={false}
        value={max}
        onChange={setMax}
        error={small && t('scatter.wrong')}
      />
      <Button type="submit" disabled={late || small}>
        {t('scatter.apply')}
      </Button>
    </form>
  );
}
