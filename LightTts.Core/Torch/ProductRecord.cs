namespace LightTts.Torch;

/// <summary>What a model's parts took from a checkpoint: the products that they made, and the tensors that they took beside them.</summary>
internal sealed class ProductRecord
{
    public Dictionary<string, QuantizedLinear> Products { get; } = new(StringComparer.Ordinal);

    public HashSet<string> Tensors { get; } = new(StringComparer.Ordinal);
}
