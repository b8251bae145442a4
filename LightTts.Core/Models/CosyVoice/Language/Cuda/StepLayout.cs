using System.Runtime.CompilerServices;
using LightTts.Cuda;

namespace LightTts.Models.CosyVoice.Language.Cuda;

/// <summary>How a step's inputs lie in memory, for host and device alike: one copy brings all of them.</summary>
/// <param name="Rows">Packed inputs.</param>
/// <param name="Sequences">Block tables.</param>
/// <param name="Draws">Rows that are drawn from.</param>
/// <param name="TableBlocks">Room for blocks in a table.</param>
internal readonly record struct StepLayout(int Rows, int Sequences, int Draws, int TableBlocks)
{
    /// <summary>[draws] of how to draw; in front, as it holds the widest numbers.</summary>
    public int DrawsAt => 0;

    /// <summary>[rows] in the embedding table.</summary>
    public int Inputs => Draws * Unsafe.SizeOf<SamplingKernel.Draw>();

    /// <summary>[rows] positions in their sequences.</summary>
    public int Positions => Inputs + Rows * sizeof(int);

    /// <summary>[rows] numbers of their block tables.</summary>
    public int SequenceNumbers => Positions + Rows * sizeof(int);

    /// <summary>[draws] which rows are drawn from.</summary>
    public int Map => SequenceNumbers + Rows * sizeof(int);

    /// <summary>[sequences, table blocks].</summary>
    public int Tables => Map + Draws * sizeof(int);

    public int Bytes => Tables + Sequences * TableBlocks * sizeof(int);
}
