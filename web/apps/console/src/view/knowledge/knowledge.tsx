// What the team knows: the articles of the help centre, which the bot answers from. A list, an article to write,
// a question to try, and ways to bring in what exists elsewhere.
import { useDesk } from "../context";
import { lazy } from "../lazy";
import { LeaveQuestion } from "../settings/form";

const ArticlePage = lazy(async () => (await import("./article")).ArticlePage);
const ArticleList = lazy(async () => (await import("./list")).ArticleList);

export function KnowledgePage({ article }: { readonly article: string | null }) {
  const { rights } = useDesk();
  const may = rights.has("settings.knowledge");
  return (
    <>
      <main class="page" id="main" tabIndex={-1} data-testid="knowledge-page">
        {article === null ? <ArticleList may={may} /> : <ArticlePage key={article} id={article} may={may} />}
      </main>
      <LeaveQuestion />
    </>
  );
}
