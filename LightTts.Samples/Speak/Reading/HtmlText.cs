using System.Text;
using AngleSharp.Dom;
using AngleSharp.Html.Parser;

namespace LightTts.Samples.Speak.Reading;

/// <summary>A web page as it is read aloud: what is shown as text, block by block; no scripts, styles, code blocks or navigation.</summary>
internal static class HtmlText
{
    private static readonly HashSet<string> s_skipped =
        ["script", "style", "head", "template", "noscript", "pre", "nav", "svg", "iframe", "button", "select", "textarea"];

    private static readonly HashSet<string> s_blocks =
    [
        "p", "div", "section", "article", "main", "header", "footer", "aside", "blockquote", "ul", "ol", "dl", "table", "tbody", "thead", "tfoot",
        "figure", "figcaption", "form", "body", "html", "hr", "br", "address", "details",
    ];

    private static readonly HashSet<string> s_sentences = ["h1", "h2", "h3", "h4", "h5", "h6", "li", "tr", "dt", "dd", "caption", "summary"];

    public static IEnumerable<string> Lines(string html)
    {
        var lines = new List<string>();
        var text = new StringBuilder();
        Visit(new HtmlParser().ParseDocument(html).DocumentElement, text, lines);
        Flush(text, lines, sentence: false);
        return lines;
    }

    private static void Visit(INode node, StringBuilder text, List<string> lines)
    {
        if (node is IText shown)
            text.Append(shown.Data);
        if (node is not IElement element || s_skipped.Contains(element.LocalName) || element.HasAttribute("hidden")
            || element.GetAttribute("aria-hidden") == "true")
            return;
        var sentence = s_sentences.Contains(element.LocalName);
        var block = sentence || s_blocks.Contains(element.LocalName);
        if (block)
            Flush(text, lines, sentence: false);
        foreach (var child in element.ChildNodes)
            Visit(child, text, lines);
        if (block)
            Flush(text, lines, sentence);
        else if (element.LocalName is "td" or "th" && element.NextElementSibling is not null)
            text.Append(", ");
    }

    private static void Flush(StringBuilder text, List<string> lines, bool sentence)
    {
        var line = string.Join(' ', text.ToString().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)).Replace(" ,", ",");
        text.Clear();
        if (line.Length == 0)
            return;
        lines.Add(sentence ? TextFormats.Sentence(line) : line);
        lines.Add("");
    }
}
