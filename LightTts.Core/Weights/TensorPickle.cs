namespace LightTts.Weights;

/// <summary>What the globals of a torch.save pickle mean: storages named by persistent
/// ids, and tensors over them (torch._utils._rebuild_tensor_v2).</summary>
/// <param name="zip">The entries of the file.</param>
/// <param name="prefix">The folder in it that all names start with.</param>
internal sealed class TensorPickle(ZipDirectory zip, string prefix)
{
    private const int MaxDimensions = 16;

    private static readonly Dictionary<string, PickleGlobal> Allowed = new PickleGlobal[]
    {
        new("collections.OrderedDict"),
        new("torch._utils._rebuild_tensor_v2"),
        new("torch._utils._rebuild_parameter"),
        new("torch.FloatStorage", ElementType.Float32),
        new("torch.HalfStorage", ElementType.Float16),
        new("torch.BFloat16Storage", ElementType.BFloat16),
        new("torch.DoubleStorage", ElementType.Float64),
        new("torch.IntStorage", ElementType.Int32),
        new("torch.LongStorage", ElementType.Int64),
        new("torch.ShortStorage", ElementType.Int16),
        new("torch.CharStorage", ElementType.Int8),
        new("torch.ByteStorage", ElementType.UInt8),
        new("torch.BoolStorage", ElementType.Bool),
    }.ToDictionary(global => global.Name, StringComparer.Ordinal);

    public static PickleGlobal Global(string module, string name) =>
        Allowed.GetValueOrDefault($"{module}.{name}") ?? throw new PickleFormatException($"global '{module}.{name}' is not allowed");

    /// <summary>('storage', type, key, location, element count): the entry data/key.</summary>
    public PickleStorage Storage(object? persistentId)
    {
        if (persistentId is not PickleSequence { IsTuple: true,
            Items: ["storage", PickleGlobal { Storage: { } type }, string key, string, long elements] })
            throw new PickleFormatException("a persistent id that is not a storage's");
        if (!zip.Entries.TryGetValue($"{prefix}/data/{key}", out var entry))
            throw new PickleFormatException($"storage '{key}' is not in the file");
        if (elements < 0 || (Int128)elements * TensorEntry.ElementSize(type) != entry.Length)
            throw new PickleFormatException($"storage '{key}' claims {elements} elements of {type}, but has {entry.Length} bytes");
        return new PickleStorage(entry, type, elements);
    }

    public object Call(object? callable, object? arguments)
    {
        if (callable is not PickleGlobal global || arguments is not PickleSequence { IsTuple: true, Items: var items })
            throw new PickleFormatException("a call of something that is not an allowed global");
        return (global.Name, items) switch
        {
            ("collections.OrderedDict", []) => new PickleDictionary(ordered: true),
            ("torch._utils._rebuild_tensor_v2",
            [PickleStorage storage, long offset, PickleSequence shape, PickleSequence strides, bool, PickleDictionary, .. { Count: <= 1 }]) =>
                Tensor(storage, offset, Sizes(shape), Sizes(strides)),
            ("torch._utils._rebuild_parameter", [PickleTensor tensor, bool, PickleDictionary]) => tensor,
            _ => throw new PickleFormatException($"a call of '{global.Name}' with arguments that torch.save does not write"),
        };
    }

    private static PickleTensor Tensor(PickleStorage storage, long offset, long[] shape, long[] strides)
    {
        if (shape.Length != strides.Length)
            throw new PickleFormatException($"a tensor with {shape.Length} sizes and {strides.Length} strides");
        Int128 count = 1, last = offset;
        for (var axis = 0; axis < shape.Length; axis++)
        {
            if (shape[axis] < 0)
                throw new PickleFormatException($"size {shape[axis]} is negative");
            if (strides[axis] < 0)
                throw new PickleFormatException($"stride {strides[axis]} is negative");
            count *= shape[axis];
            last += (Int128)Math.Max(shape[axis] - 1, 0) * strides[axis];
            if (count > long.MaxValue / 8 || last > long.MaxValue / 8)
                throw new PickleFormatException($"shape [{string.Join(", ", shape)}] with strides [{string.Join(", ", strides)}] overflows");
        }
        if (offset < 0 || offset > storage.Elements || (count > 0 && last >= storage.Elements))
            throw new PickleFormatException($"offset {offset}, shape [{string.Join(", ", shape)}], strides [{string.Join(", ", strides)}] reach "
            + $"outside a storage of {storage.Elements} elements");
        // Strides of zero would let a few bytes expand to any size.
        if (count > storage.Elements)
            throw new PickleFormatException($"shape [{string.Join(", ", shape)}] repeats a storage of {storage.Elements} elements; save it with "
            + $".contiguous()");
        return new PickleTensor(storage, offset, shape, strides);
    }

    private static long[] Sizes(PickleSequence sequence)
    {
        if (!sequence.IsTuple || sequence.Items.Count > MaxDimensions)
            throw new PickleFormatException($"more than {MaxDimensions} dimensions");
        return [.. sequence.Items.Select(item => item as long? ?? throw new PickleFormatException("a size that is not an integer"))];
    }
}
