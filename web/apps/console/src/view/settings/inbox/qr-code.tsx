// The QR code of an address, always dark on white: readers of older phones know nothing else.
import { qrCode, qrPath } from "../../../model/qr";
import { Button } from "../../parts/controls";
import { t } from "../../text";

const quiet = 4;

export function QrCode({ text, name }: { readonly text: string; readonly name: string }) {
  const code = qrCode(text);
  if (code === null) return null;
  const size = code.size + 2 * quiet;
  const path = qrPath(code);
  const download = () => {
    const drawing = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges"><rect width="${size}" height="${size}" fill="#fff"/><path transform="translate(${quiet} ${quiet})" d="${path}"/></svg>`;
    const url = URL.createObjectURL(new Blob([drawing], { type: "image/svg+xml" }));
    const link = document.createElement("a");
    link.href = url;
    link.download = `${name}.svg`;
    link.click();
    // The browser has taken the bytes by the next turn.
    setTimeout(() => URL.revokeObjectURL(url), 0);
  };
  return (
    <>
      <svg class="qr-code" viewBox={`0 0 ${size} ${size}`} shape-rendering="crispEdges" role="img" aria-label={t("inboxes.qr")} data-testid="qr-code">
        <rect width={size} height={size} fill="#fff" />
        <path transform={`translate(${quiet} ${quiet})`} d={path} fill="#000" />
      </svg>
      <Button size="small" kind="quiet" icon="download" onClick={download}>
        {t("download")}
      </Button>
    </>
  );
}
