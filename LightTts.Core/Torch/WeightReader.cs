using LightTts.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Torch;

/// <summary>Turns the entries of a checkpoint into tensors on a device and keeps account of what is missing, left over or mis-shaped.</summary>
/// <remarks>A tensor that cannot be read is replaced by zeros of the expected shape, so
/// that one exception (<see cref="Complete"/>) can list every problem.</remarks>
internal sealed class WeightReader(ITensorArchive archive, TorchDevice device, Func<string, string>? rename = null, ProductRecord? record = null)
{
    private readonly Dictionary<string, TensorEntry> _entries =
        archive.Tensors.ToDictionary(pair => rename?.Invoke(pair.Key) ?? pair.Key, pair => pair.Value);

    private readonly HashSet<string> _used = [];
    private readonly List<string> _problems = [];
    private bool _inProduct;

    public TorchDevice Device => device;

    /// <summary>Numbers taken so far.</summary>
    public long Parameters { get; private set; }

    public bool Has(string key) => _entries.ContainsKey(key);

    /// <summary>Marks keys that the model does not need (an unused head, a constant buffer) as known.</summary>
    public void Ignore(Predicate<string> keys) => _used.UnionWith(_entries.Keys.Where(key => keys(key)));

    /// <summary>The tensor of that name in 32-bit floats on the device.</summary>
    public Tensor Take(string key, params long[] shape) => Take(key, ScalarType.Float32, shape);

    /// <summary>The tensor of that name as <paramref name="type"/> on the device. It is the caller's to dispose.</summary>
    public Tensor Take(string key, ScalarType type, params long[] shape)
    {
        if (!_entries.TryGetValue(key, out var entry))
            return Problem($"{key}: missing, expected [{string.Join(", ", shape)}]", type, shape);
        _used.Add(key);
        if (!_inProduct)
            record?.Tensors.Add(key);
        if (!entry.Shape.SequenceEqual(shape))
            return Problem($"{key}: expected [{string.Join(", ", shape)}], found [{string.Join(", ", entry.Shape)}]", type, shape);
        if (ToScalarType(entry.Type) is not { } stored)
            return Problem($"{key}: expected floating point, found {entry.Type}", type, shape);
        Parameters += entry.ElementCount;
        return Read(entry, stored, type);
    }

    /// <summary>A matrix where it lies in the file, on the CPU; null where it has to be taken (<see cref="Take(string, long[])"/>).</summary>
    /// <typeparam name="T">What is made of it.</typeparam>
    /// <param name="key">Its name.</param>
    /// <param name="rows">Its rows.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="make">Makes it; null where it does not lie as is needed.</param>
    public T? Map<T>(string key, long rows, long columns, Func<TensorEntry, T?> make) where T : class
    {
        if (device.IsCuda || !_entries.TryGetValue(key, out var entry) || !entry.Shape.SequenceEqual([rows, columns]) || make(entry) is not { } made)
            return null;
        _used.Add(key);
        record?.Tensors.Add(key);
        Parameters += entry.ElementCount;
        return made;
    }

    /// <summary>A product that converted models hold ready, in 8-bit numbers, and others make of their tensors.</summary>
    /// <param name="name">Its name where it is held ready.</param>
    /// <param name="outputs">Its outputs.</param>
    /// <param name="inputs">Its inputs.</param>
    /// <param name="make">Makes it.</param>
    /// <param name="fine">Whether 8-bit numbers are to be multiplied with <see cref="QuantizedLinear.HasFineRows"/>.</param>
    /// <exception cref="TtsModelLoadException">It is held ready, and another arithmetic is asked for.</exception>
    public Linear Product(string name, long outputs, long inputs, Func<Linear> make, bool fine = false)
    {
        var product = _entries.ContainsKey(name + QuantizedLinear.Suffix) ? Stored(name, outputs, inputs) : Made(name, make);
        if (product is QuantizedLinear quantised)
            quantised.HasFineRows = fine;
        return product;
    }

    private Linear Made(string name, Func<Linear> make)
    {
        _inProduct = true;
        var product = make();
        _inProduct = false;
        if (record is not null && product is QuantizedLinear quantised)
            record.Products.Add(name, quantised);
        return product;
    }

    /// <summary>Throws if anything was missing or mis-shaped, or if the file holds tensors that nobody asked for.</summary>
    /// <exception cref="TtsModelLoadException">Lists each key with the expected and the actual shape.</exception>
    public void Complete()
    {
        var extra = _entries.Where(pair => !_used.Contains(pair.Key))
            .Select(pair => $"{pair.Key}: not part of this model, found [{string.Join(", ", pair.Value.Shape)}]");
        List<string> problems = [.. _problems, .. extra];
        if (problems.Count == 0)
            return;
        const int shown = 200;
        var more = problems.Count > shown ? $"\n  ... and {problems.Count - shown} more" : "";
        throw new TtsModelLoadException(
            $"'{archive.Path}' does not hold the model that the configuration beside it describes ({problems.Count} tensors differ). "
            + $"Check that the yaml file and the weights belong together and that the download is complete.\n  "
            + $"{string.Join("\n  ", problems.Take(shown))}{more}");
    }

    private QuantizedLinear Stored(string name, long outputs, long inputs)
    {
        if (!device.Int8)
            throw new TtsModelLoadException($"{archive.Path} holds 8-bit numbers. Set the precision to Auto or Int8 (--precision int8) "
                + "and the device to the CPU, or load the model that it was made from.");
        Parameters += outputs * inputs;
        return QuantizedLinear.Load(name, key =>
        {
            if (!_entries.TryGetValue(key, out var entry))
                return null;
            _used.Add(key);
            return entry;
        }, checked((int)outputs), checked((int)inputs)) ?? throw new TtsModelLoadException(
            $"{archive.Path}: '{name}' is not the product of {inputs} inputs and {outputs} outputs that the model needs. Convert the model again.");
    }

    private Tensor Problem(string problem, ScalarType type, long[] shape)
    {
        _problems.Add(problem);
        return zeros(shape, type, device.Device);
    }

    private unsafe Tensor Read(TensorEntry entry, ScalarType stored, ScalarType type)
    {
        var host = empty([.. entry.Shape], stored);
        if (entry.ElementCount > 0)
            entry.CopyTo((byte*)host.Pointer());
        if (stored == type && !device.IsCuda)
            return host;
        using (host)
            return host.to(type, device.Device);
    }

    private static ScalarType? ToScalarType(ElementType type) => type switch
    {
        ElementType.Float32 => ScalarType.Float32,
        ElementType.Float16 => ScalarType.Float16,
        ElementType.BFloat16 => ScalarType.BFloat16,
        ElementType.Float64 => ScalarType.Float64,
        _ => null,
    };
}
