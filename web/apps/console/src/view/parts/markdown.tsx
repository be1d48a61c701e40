// Markdown as elements and text nodes; no markup is ever parsed.
import type { ComponentChildren } from "preact";
import { Fragment } from "preact";
import type { Block, Inline } from "../../model/markdown";
import { parseMarkdown } from "../../model/markdown";

export function Markdown({ text, lang }: { readonly text: string; readonly lang?: string }) {
  return (
    <div class="markdown" lang={lang}>
      <Blocks blocks={parseMarkdown(text)} />
    </div>
  );
}

function Blocks({ blocks }: { readonly blocks: readonly Block[] }) {
  return (
    <>
      {blocks.map((block, at) => (
        <BlockView key={at} block={block} />
      ))}
    </>
  );
}

function BlockView({ block }: { readonly block: Block }) {
  switch (block.kind) {
    case "heading": {
      // Below the title of the page it is shown on.
      const Heading = `h${Math.min(6, block.level + 1)}` as "h3";
      return (
        <Heading class={`markdown-h${block.level}`}>
          <Inlines inside={block.inside} />
        </Heading>
      );
    }
    case "paragraph":
      return (
        <p>
          <Inlines inside={block.inside} />
        </p>
      );
    case "list": {
      const items = block.items.map((item, at) => (
        <li key={at}>
          <Item blocks={item} />
        </li>
      ));
      return block.ordered ? <ol start={block.start}>{items}</ol> : <ul>{items}</ul>;
    }
    case "quote":
      return (
        <blockquote>
          <Blocks blocks={block.blocks} />
        </blockquote>
      );
    case "code":
      return (
        <pre tabIndex={0}>
          <code>{block.text}</code>
        </pre>
      );
    case "table":
      return (
        <div class="table-scroll" tabIndex={0}>
          <table>
            <thead>
              <tr>
                {block.head.map((cell, at) => (
                  <th key={at} scope="col">
                    <Inlines inside={cell} />
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {block.rows.map((row, at) => (
                <tr key={at}>
                  {row.map((cell, place) => (
                    <td key={place}>
                      <Inlines inside={cell} />
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      );
    case "rule":
      return <hr />;
  }
}

/** An item of one paragraph is a line of its list. */
function Item({ blocks }: { readonly blocks: readonly Block[] }) {
  const [first, ...rest] = blocks;
  if (first?.kind !== "paragraph") return <Blocks blocks={blocks} />;
  return (
    <>
      <Inlines inside={first.inside} />
      <Blocks blocks={rest} />
    </>
  );
}

function Inlines({ inside }: { readonly inside: readonly Inline[] }) {
  return (
    <>
      {inside.map((inline, at) => (
        <Fragment key={at}>{inlineView(inline)}</Fragment>
      ))}
    </>
  );
}

function inlineView(inline: Inline): ComponentChildren {
  switch (inline.kind) {
    case "text":
      return inline.text;
    case "code":
      return <code>{inline.text}</code>;
    case "strong":
      return (
        <strong>
          <Inlines inside={inline.inside} />
        </strong>
      );
    case "em":
      return (
        <em>
          <Inlines inside={inline.inside} />
        </em>
      );
    case "link":
      return (
        <a href={inline.href} target="_blank" rel="noopener noreferrer nofollow">
          <Inlines inside={inline.inside} />
        </a>
      );
    case "break":
      return <br />;
  }
}
