using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Language.Torch;

/// <summary>Steps with prompts in them, computed as they come: all inputs go through the linear layers together; rows with one input share one
/// attention call over padded lengths, prompts have one each.</summary>
internal sealed class TorchPromptStep(TorchLanguageLayers layers)
{
    /// <summary>Launches a step, in the caller's dispose scope.</summary>
    /// <returns>[draws, logits] in 32 bits; null where none are wanted.</returns>
    public Tensor? Launch(LanguageBatch batch)
    {
        var inputs = new long[batch.Count];
        for (var i = 0; i < inputs.Length; i++)
            inputs[i] = layers.TableRow(batch.Inputs[i]);
        var positions = layers.Index([.. batch.Positions.ToArray().Select(position => (long)position)]);
        var x = layers.Run(layers.Index(inputs), positions, layers.Index(WriteSlots(batch)), Groups(batch));
        if (batch.LogitRows.Count == 0)
            return null;
        var last = x.index_select(0, layers.Index([.. batch.LogitRows.Select(row => (long)row)]));
        return layers.Logits(last).to(ScalarType.Float32);
    }

    private List<AttentionGroup> Groups(LanguageBatch batch)
    {
        var groups = new List<AttentionGroup>();
        var decoding = 0;
        while (decoding < batch.Sequences.Count && batch.Sequences[decoding].Count == 1)
            decoding++;
        if (decoding > 0)
            groups.Add(Group([.. batch.Sequences.Take(decoding)]));
        foreach (var prompt in batch.Sequences.Skip(decoding))
            groups.Add(Group([prompt]));
        return groups;
    }

    /// <summary>Where the sequences' positions lie, padded to one length, and which of them each query sees.</summary>
    private AttentionGroup Group(LanguageBatch.Sequence[] sequences)
    {
        var count = sequences[0].Count;
        var longest = sequences.Max(sequence => sequence.Past + sequence.Count);
        var length = LanguageStepBuffers.LengthFor(longest);
        var slots = new long[sequences.Length * length];
        Array.Fill(slots, layers.Cache.Padding);
        var mask = new float[sequences.Length * count * length];
        Array.Fill(mask, float.NegativeInfinity);
        for (var s = 0; s < sequences.Length; s++)
        {
            var (state, _, _, past) = sequences[s];
            for (var position = 0; position < past + count; position++)
                slots[s * length + position] = KvCache.Slot(state, position);
            for (var t = 0; t < count; t++)
                mask.AsSpan((s * count + t) * length, past + t + 1).Clear();
        }

        long[] shape = count == 1 ? [sequences.Length, 1, 1, length] : [count, length];
        return new AttentionGroup(
            sequences[0].Start, sequences.Length * count, sequences.Length, layers.Index(slots),
            TensorData.FromSingles(mask, layers.Device.Device, shape).to(layers.Device.Compute));
    }

    private static List<long> WriteSlots(LanguageBatch batch)
    {
        var slots = new List<long>(batch.Count);
        foreach (var (state, _, count, past) in batch.Sequences)
            for (var position = past; position < past + count; position++)
                slots.Add(KvCache.Slot(state, position));
        return slots;
    }
}
