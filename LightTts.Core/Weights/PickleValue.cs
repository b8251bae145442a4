namespace LightTts.Weights;

/// <summary>A list, tuple or dictionary while its pickle is read. Once it is part of
/// another one it is sealed, so that its weight is known: that bounds
/// what a small pickle can expand to through its memo, and makes cycles impossible.</summary>
internal abstract class PickleContainer
{
    /// <summary>Values in it, counted again for each place that they are in.</summary>
    public long Weight { get; private set; } = 1;

    /// <summary>Containers inside each other, itself included.</summary>
    public int Depth { get; private set; } = 1;

    public bool Sealed { get; private set; }

    protected void Adopt(object? child)
    {
        Weight++;
        if (child is not PickleContainer container)
            return;
        container.Sealed = true;
        Weight += container.Weight;
        Depth = Math.Max(Depth, container.Depth + 1);
    }
}

/// <summary>A list or a tuple.</summary>
internal sealed class PickleSequence(bool isTuple) : PickleContainer
{
    public bool IsTuple => isTuple;

    public List<object?> Items { get; } = [];

    public void Add(object? item)
    {
        Items.Add(item);
        Adopt(item);
    }
}

/// <summary>A dict or OrderedDict. Integer keys are kept as their decimal text: only
/// their names matter here, and the hash of a string cannot be foreseen.</summary>
internal sealed class PickleDictionary(bool ordered) : PickleContainer
{
    public bool Ordered => ordered;

    public Dictionary<string, object?> Items { get; } = new(StringComparer.Ordinal);

    public bool TryAdd(string key, object? value)
    {
        if (!Items.TryAdd(key, value))
            return false;
        Adopt(value);
        return true;
    }
}

/// <summary>An allowed global: something that a state dict mentions by name. Nothing is ever looked up or called by that name.</summary>
internal sealed record PickleGlobal(string Name, ElementType? Storage = null);

/// <summary>A storage: an entry of the zip file.</summary>
internal sealed record PickleStorage(ZipEntry Entry, ElementType Type, long Elements);

/// <summary>A tensor over a storage; offset and strides in elements, checked to stay within it.</summary>
internal sealed record PickleTensor(PickleStorage Storage, long Offset, long[] Shape, long[] Strides);
