using System.Globalization;
using System.Text;

namespace LightTts.Weights;

/// <summary>A torch.save file (the zip format of PyTorch 1.6 and later): its tensors
/// straight from the memory map, its plain values as <see cref="Root"/>.
/// Nothing in it is ever executed.</summary>
internal sealed class PyTorchCheckpoint : ITensorArchive
{
    private const int MaxTensors = 65_536, MaxName = 1024;

    private readonly MappedFile _file;
    private readonly Dictionary<string, TensorEntry> _tensors = new(StringComparer.Ordinal);

    private PyTorchCheckpoint(MappedFile file)
    {
        _file = file;
        var zip = ZipDirectory.Read(file);
        var prefix = FindPrefix(zip);
        var pickle = zip.Entries[$"{prefix}/data.pkl"];
        if (pickle.Length > PickleReader.MaxBytes)
            throw new TtsModelLoadException($"{Path}: data.pkl of {pickle.Length} bytes is larger than any state dict's ({PickleReader.MaxBytes}).");
        if (zip.Entries.TryGetValue($"{prefix}/byteorder", out var order) && (order.Length > 16 || Text(order) != "little"))
            throw new TtsModelLoadException($"{Path}: the checkpoint was saved big-endian; save it again on a little-endian machine.");
        Root = Convert(PickleReader.Read(file.Span(pickle.Offset, (int)pickle.Length), Path, new TensorPickle(zip, prefix)), "");
    }

    public string Path => _file.Path;

    /// <summary>All tensors by name; those in dictionaries within dictionaries are named
    /// "outer.inner". Tensors in lists are in <see cref="Root"/> only.</summary>
    public IReadOnlyDictionary<string, TensorEntry> Tensors => _tensors;

    /// <summary>The saved object: a dictionary (<see cref="IReadOnlyDictionary{TKey, TValue}"/> of string and object), a list or tuple
    /// (<see cref="IReadOnlyList{T}"/> of object), string, long, double, bool, null or <see cref="TensorEntry"/>, nested.</summary>
    public object? Root { get; }

    /// <exception cref="TtsModelLoadException">The file is missing, damaged, of another
    /// format, or wants more than tensors; the message says which and the cure.</exception>
    public static PyTorchCheckpoint Open(string path)
    {
        var file = MappedFile.Open(path);
        try
        {
            RefuseOtherFormats(file);
            return new PyTorchCheckpoint(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public void Dispose() => _file.Dispose();

    private static void RefuseOtherFormats(MappedFile file)
    {
        var head = file.Span(0, (int)Math.Min(file.Length, 64));
        if (head.StartsWith("PK"u8))
            return;
        if (head.StartsWith("version https://git-lfs"u8))
            throw new TtsModelLoadException($"{file.Path}: this is a Git LFS pointer, not the file itself; run 'git lfs pull' in the model's "
            + $"folder.");
        if (head[0] == 0x80 || head.IndexOf("././@LongLink"u8) >= 0)
            throw new TtsModelLoadException($"{file.Path}: this is a legacy PyTorch file (before 1.6). Save it again with a current PyTorch: " +
                "torch.save(torch.load(path, map_location='cpu', weights_only=True), path).");
        throw new TtsModelLoadException($"{file.Path}: this is not a PyTorch checkpoint (a zip file made by torch.save); download it again.");
    }

    private string FindPrefix(ZipDirectory zip)
    {
        var pickles = zip.Entries.Keys.Where(name => name.EndsWith("/data.pkl", StringComparison.Ordinal)
            && name.IndexOf('/') == name.Length - 9).ToList();
        if (pickles.Count != 1)
            throw new TtsModelLoadException($"{Path}: a torch.save file has one data.pkl, this zip file has {pickles.Count}; it is not a PyTorch "
            + $"checkpoint.");
        var prefix = pickles[0][..^9];
        return zip.Entries.ContainsKey($"{prefix}/constants.pkl")
            ? throw new TtsModelLoadException($"{Path}: this is a TorchScript program, not a state dict; save the weights with "
            + $"torch.save(model.state_dict(), path).")
            : prefix;
    }

    private string Text(ZipEntry entry) => Encoding.ASCII.GetString(_file.Span(entry.Offset, (int)entry.Length)).Trim();

    private object? Convert(object? value, string name)
    {
        if (name.Length > MaxName)
            throw new TtsModelLoadException($"{Path}: a tensor name is longer than {MaxName} characters: '{name[..100]}...'.");
        switch (value)
        {
            case PickleDictionary dictionary:
                return dictionary.Items.ToDictionary(pair => pair.Key, pair =>
                    Convert(pair.Value, name.Length == 0 ? pair.Key : $"{name}.{pair.Key}"), StringComparer.Ordinal);
            case PickleSequence sequence:
                var items = new object?[sequence.Items.Count];
                for (var i = 0; i < items.Length; i++)
                    items[i] = sequence.Items[i] is PickleTensor tensor ? Map(tensor, Index(name, i)) : Convert(sequence.Items[i], Index(name, i));
                return items;
            case PickleTensor tensor:
                var entry = Map(tensor, name);
                if (_tensors.Count == MaxTensors || !_tensors.TryAdd(name, entry))
                    throw new TtsModelLoadException($"{Path}: tensor '{name}' occurs twice, or there are more than {MaxTensors} tensors.");
                return entry;
            case string or long or double or bool or null:
                return value;
            default:
                throw new TtsModelLoadException($"{Path}: '{name}' is a bare {value.GetType().Name}, where a tensor or a plain value is expected.");
        }
    }

    private MappedTensor Map(PickleTensor tensor, string name) => new(_file, name, tensor.Storage.Type, tensor.Shape,
        tensor.Storage.Entry.Offset + tensor.Offset * TensorEntry.ElementSize(tensor.Storage.Type), tensor.Strides);

    private static string Index(string name, int i) => string.Create(CultureInfo.InvariantCulture, $"{name}[{i}]");
}
