using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace LightTts.Models.CosyVoice.Files;

/// <summary>
/// Reads a HyperPyYAML file as data. In Python its tags create and call objects by name; here they are labels, and those that a CosyVoice file has no
/// use for are refused. Works on parser events, so that neither nesting nor aliases can make it use more stack or memory than the file's size.
/// </summary>
internal static class HyperYaml
{
    private const int MaxDepth = 32, MaxAliases = 1000;

    /// <summary>The only calls that a CosyVoice file makes: seeds, which do not matter here.</summary>
    private static readonly string[] Calls =
        ["!apply:random.seed", "!apply:numpy.random.seed", "!apply:torch.manual_seed", "!apply:torch.cuda.manual_seed_all"];

    private static readonly string[] Packages = ["cosyvoice.", "matcha.", "omegaconf.", "torch.", "transformers."];

    /// <exception cref="TtsModelLoadException">The text is not valid, is nested too deep, or has a tag that is not allowed.</exception>
    public static ConfigMap Parse(string text, string path)
    {
        try
        {
            return new Builder(path).Build(new Parser(new StringReader(text)));
        }
        catch (Exception e) when (e is not TtsModelLoadException and not OutOfMemoryException)
        {
            // The parser reports most errors as YamlException, but not all.
            throw new TtsModelLoadException($"{path}: not valid yaml: {e.Message}", e);
        }
    }

    private sealed class Builder(string path)
    {
        private readonly Dictionary<string, ConfigNode> _anchors = new(StringComparer.Ordinal);
        private readonly Stack<Frame> _open = [];
        private ConfigNode? _root;
        private int _aliases;

        public ConfigMap Build(Parser parser)
        {
            while (parser.MoveNext() && parser.Current is { } item)
                Take(item);
            return _root as ConfigMap ?? throw new TtsModelLoadException($"{path}: a mapping is expected at the top.");
        }

        private void Take(ParsingEvent item)
        {
            switch (item)
            {
                case Scalar scalar:
                    Place(new ConfigScalar(scalar.Value, scalar.Style != ScalarStyle.Plain, Tag(scalar)), scalar, scalar.Anchor);
                    break;
                case SequenceStart start:
                    Open(new ConfigList([], Tag(start)), start);
                    break;
                case MappingStart start:
                    Open(new ConfigMap(new(StringComparer.Ordinal), Tag(start)), start);
                    break;
                case SequenceEnd or MappingEnd:
                    var closed = _open.Pop();
                    Place(closed.Node, item, closed.Anchor);
                    break;
                case AnchorAlias alias:
                    // The node itself, not a copy of it: a chain of aliases stays as small as it is written.
                    if (++_aliases > MaxAliases || !_anchors.TryGetValue(alias.Value.Value, out var node))
                        throw Bad(alias, _aliases > MaxAliases ? $"more than {MaxAliases} aliases"
                        : $"alias '{alias.Value.Value}' is not defined before it is used");
                    Place(node, alias, AnchorName.Empty);
                    break;
                case DocumentStart when _root is not null:
                    throw Bad(item, "more than one document");
            }
        }

        private void Open(ConfigNode node, NodeEvent start)
        {
            if (_open.Count == MaxDepth)
                throw Bad(start, $"nested more than {MaxDepth} deep");
            _open.Push(new Frame(node, start.Anchor));
        }

        private void Place(ConfigNode node, ParsingEvent at, AnchorName anchor)
        {
            if (!anchor.IsEmpty)
                _anchors[anchor.Value] = node;
            if (_open.Count == 0)
            {
                _root = node;
                return;
            }
            var frame = _open.Peek();
            if (frame.Node is ConfigList list)
                list.Items.Add(node);
            else if (frame.Key is null)
                frame.Key = node is ConfigScalar key ? key.Text : throw Bad(at, "a key that is not a plain value");
            else
            {
                if (!((ConfigMap)frame.Node).Items.TryAdd(frame.Key, node))
                    throw Bad(at, $"key '{frame.Key}' occurs twice");
                frame.Key = null;
            }
        }

        private string? Tag(NodeEvent node)
        {
            if (node.Tag.IsEmpty || node.Tag.IsNonSpecific)
                return null;
            var tag = node.Tag.Value;
            var name = tag.StartsWith("!new:", StringComparison.Ordinal) ? tag[5..] : tag.StartsWith("!name:", StringComparison.Ordinal) ? tag[6..]
                : null;
            if (tag == "!ref" || Calls.Contains(tag)
                || (name is not null && Packages.Any(package => name.StartsWith(package, StringComparison.Ordinal))))
                return tag;
            throw Bad(node, $"tag '{tag}' has no place in a CosyVoice configuration and is refused; remove it if you trust the file");
        }

        private TtsModelLoadException Bad(ParsingEvent at, string why) => new($"{path}: line {at.Start.Line}: {why}.");
    }

    private sealed class Frame(ConfigNode node, AnchorName anchor)
    {
        public ConfigNode Node => node;

        public AnchorName Anchor => anchor;

        public string? Key { get; set; }
    }
}
