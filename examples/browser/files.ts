/** Files in and out: drag and drop, the picker, downloads. */
import { byId } from './dom.ts';

/** Calls `open` with a file that is dropped anywhere on the page, or chosen. */
export function acceptFiles(open: (file: File) => void): void {
  const picker = byId<HTMLInputElement>('file'), drop = byId('drop');
  picker.disabled = false;
  picker.addEventListener('change', () => {
    const [file] = picker.files ?? [];
    picker.value = ''; // the same file can be chosen again
    if (file) open(file);
  });
  const hasFile = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;
  addEventListener('dragover', (event) => {
    if (!hasFile(event)) return;
    event.preventDefault();
    drop.hidden = false;
  });
  addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) drop.hidden = true;
  });
  addEventListener('drop', (event) => {
    if (!hasFile(event)) return;
    event.preventDefault();
    drop.hidden = true;
    const [file] = event.dataTransfer?.files ?? [];
    if (file) open(file);
  });
}

/** Long enough for a browser to have begun its download, in milliseconds. */
const KEEP = 60_000;

/** Downloads bytes under a name. */
export function saveFile(bytes: Uint8Array<ArrayBuffer>, name: string): void {
  const url = URL.createObjectURL(new Blob([bytes], { type: 'application/octet-stream' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), KEEP);
}
