using System.Runtime.InteropServices;

namespace LightTts.Cuda;

/// <summary>One convolution of a launch: the struct of its name in convolution.cu, where its members are told.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Convolution
{
    public nint Input;
    public long InputPart;
    public long InputRow;
    public nint Weight;
    public nint Scale;
    public nint Add;
    public nint Sums;
    public ConvolutionOutput First;
    public ConvolutionOutput Second;
    public ConvolutionOutput Third;
    public long OutputPart;
    public nint Windows;
    public int Inputs;
    public int Length;
    public int Taps;
    public int Dilation;
    public int Left;
    public int Columns;
    public int Channels;
    public int Rate;
    public int Shift;
    public int Tiles;
    public int Blocks;
    public float Slope;
    public int FrameColumns;
    public int Context;
}

/// <summary>Where a convolution writes its result, activated.</summary>
/// <param name="values">Halves; 0: nowhere.</param>
/// <param name="alpha">Of the snake activation; 0: leaky.</param>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct ConvolutionOutput(nint values, nint alpha)
{
    public readonly nint Values = values;
    public readonly nint Alpha = alpha;
}
