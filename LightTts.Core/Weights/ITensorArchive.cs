namespace LightTts.Weights;

/// <summary>A file of named tensors (a PyTorch checkpoint or a safetensors file), memory-mapped: nothing is read before it is asked for.</summary>
internal interface ITensorArchive : IDisposable
{
    /// <summary>The file's path, for messages.</summary>
    string Path { get; }

    /// <summary>The tensors by name, in file order.</summary>
    IReadOnlyDictionary<string, TensorEntry> Tensors { get; }
}
