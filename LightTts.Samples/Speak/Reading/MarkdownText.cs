using System.Text;
using Markdig;
using Markdig.Extensions.Tables;
using Markdig.Extensions.Yaml;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace LightTts.Samples.Speak.Reading;

/// <summary>Markdown as it is read aloud: headings, items and rows as sentences, links by their text, no code blocks, no markup.</summary>
internal static class MarkdownText
{
    private static readonly MarkdownPipeline s_pipeline =
        new MarkdownPipelineBuilder().UsePipeTables().UseYamlFrontMatter().UseEmphasisExtras().Build();

    public static IEnumerable<string> Lines(string markdown) => Markdown.Parse(markdown, s_pipeline).SelectMany(Lines);

    private static IEnumerable<string> Lines(Block block) => block switch
    {
        HeadingBlock heading => [TextFormats.Sentence(Text(heading.Inline)), ""],
        ParagraphBlock { Parent: ListItemBlock } item => [TextFormats.Sentence(Text(item.Inline)), ""],
        ParagraphBlock paragraph => [Text(paragraph.Inline), ""],
        YamlFrontMatterBlock or CodeBlock or LinkReferenceDefinitionGroup => [],
        HtmlBlock html => HtmlText.Lines(html.Lines.ToString()),
        Table table => table.OfType<TableRow>().SelectMany(row =>
        (string[])[TextFormats.Sentence(string.Join(", ", row.OfType<TableCell>().Select(Cell))), ""]),
        ContainerBlock container => container.SelectMany(Lines),
        _ => [],
    };

    private static string Cell(TableCell cell) => string.Join(' ', cell.OfType<LeafBlock>().Select(leaf => Text(leaf.Inline)));

    private static string Text(ContainerInline? inlines)
    {
        var text = new StringBuilder();
        Append(inlines, text);
        return text.ToString();
    }

    private static void Append(ContainerInline? inlines, StringBuilder text)
    {
        foreach (var inline in inlines ?? Enumerable.Empty<Inline>())
        {
            switch (inline)
            {
                case LiteralInline literal: text.Append(literal.Content.AsSpan()); break;
                case CodeInline code: text.Append(code.Content); break;
                case HtmlEntityInline entity: text.Append(entity.Transcoded.AsSpan()); break;
                case LineBreakInline: text.Append(' '); break;
                case ContainerInline container: Append(container, text); break;
            }
        }
    }
}
