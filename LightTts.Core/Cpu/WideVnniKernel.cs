using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Register = LightTts.Cpu.VnniAssembler.Register;

namespace LightTts.Cpu;

/// <summary>The inner loops of <see cref="QuantizedMatrix"/> with the dot products of AVX-512 VNNI, of which an instruction has 64: twice what
/// <see cref="VnniKernel"/>'s have, and there on processors that lack those (Cascade Lake to Ice Lake, Zen 4).</summary>
/// <remarks>
/// .NET 10 does not offer them, so the loops are written as machine code when the process first asks: one for each number of rows, for one
/// panel and for two, and some that read few rows' weights as one forward stream. Like <see cref="VnniKernel"/>'s they move the weights up
/// by 128. They use registers only that both calling conventions leave to the callee.
/// </remarks>
internal static unsafe class WideVnniKernel
{
    /// <summary>Rows that are multiplied together: with two panels their sums, the weights, a row's inputs and the offset are 22 registers.</summary>
    public const int Rows = 9;

    /// <summary>Panels that are multiplied together.</summary>
    public const int Panels = 2;

    /// <summary>Rows of which one panel at a time is faster, as they wait for the weights.</summary>
    public const int FewRows = 2;

    // Groups that few rows take together, each into sums of its own: a sum is not ready for the next product at once.
    private const int GroupsTogether = 4;

    private const int GroupBytes = 64;

    private const int Offset = unchecked((int)0x80808080);

    // 16 to 31 first, then 0 and 1; the others of the first 16 are the callee's on Windows up to 5.
    private const int FirstSum = 16, FirstWeights = 2, Inputs = 4, OffsetRegister = 5;

    private static readonly Lazy<nint[]?> s_loops = new(Create);

    /// <summary>Whether processor and operating system have what it takes.</summary>
    public static bool IsSupported => s_loops.Value is not null;

    /// <param name="w">Panels.</param>
    /// <param name="panelBytes">Bytes from one panel to the next.</param>
    /// <param name="panels">1 or 2.</param>
    /// <param name="x">Rows of inputs, rounded up to groups of four.</param>
    /// <param name="xStride">Numbers from one row to the next.</param>
    /// <param name="totals">The sum of each row's inputs.</param>
    /// <param name="rows">1 to <see cref="Rows"/>.</param>
    /// <param name="groups">Groups of four inputs, at least one.</param>
    /// <param name="sums">[rows, panels, 16].</param>
    public static void Multiply(sbyte* w, long panelBytes, int panels, sbyte* x, int xStride, int* totals, int rows, int groups, int* sums)
    {
        Arguments arguments;
        arguments.Numbers = w;
        arguments.PanelBytes = panelBytes;
        arguments.Inputs = x;
        arguments.Stride = xStride;
        arguments.End = x + 4L * groups;
        arguments.Sums = sums;
        arguments.Offset = Offset;
        arguments.Zero = 0;
        for (var row = 0; row < rows; row++)
            arguments.Starts[row] = -128 * totals[row];
        var loop = rows <= FewRows && panels == 1 && groups % GroupsTogether == 0 ? Panels * Rows + rows - 1 : At(rows, panels);
        ((delegate* unmanaged[SuppressGCTransition]<Arguments*, void>)s_loops.Value![loop])(&arguments);
    }

    private static int At(int rows, int panels) => (panels - 1) * Rows + rows - 1;

    private static nint[]? Create()
    {
        // Leaf 7: bit 11 of ecx is AVX512_VNNI.
        if (!ExecutableMemory.IsSupported || !Environment.Is64BitProcess || !Avx512BW.IsSupported || (X86Base.CpuId(7, 0).Ecx & 1 << 11) == 0)
            return null;
        var assembler = new VnniAssembler();
        var starts = new int[Panels * Rows + FewRows];
        for (var panels = 1; panels <= Panels; panels++)
            for (var rows = 1; rows <= Rows; rows++)
            {
                starts[At(rows, panels)] = assembler.Position;
                Write(assembler, rows, panels, 1);
            }
        for (var rows = 1; rows <= FewRows; rows++)
        {
            starts[Panels * Rows + rows - 1] = assembler.Position;
            Write(assembler, rows, 1, GroupsTogether);
        }
        var code = ExecutableMemory.Create(assembler.ToArray());
        return code == 0 ? null : [.. starts.Select(start => code + start)];
    }

    /// <param name="code">Where it goes.</param>
    /// <param name="rows">Of inputs.</param>
    /// <param name="panels">1 or 2.</param>
    /// <param name="groups">Groups of inputs in one turn of the loop, of which each has sums of its own.</param>
    private static void Write(VnniAssembler code, int rows, int panels, int groups)
    {
        const Register weights = Register.Rax, nextPanel = Register.R11, stride = Register.R10;
        var arguments = OperatingSystem.IsWindows() ? Register.Rcx : Register.Rdi;
        // Three rows from each: at once, one and two strides behind it.
        ReadOnlySpan<Register> inputs = [Register.Rdx, Register.R8, Register.R9];
        static int Field(string name) => (int)Marshal.OffsetOf<Arguments>(name);
        var each = rows * panels; // sums of a group
        int Sum(int group, int row, int panel) => (FirstSum + group * each + row * panels + panel) % 32;

        code.Load(weights, arguments, Field(nameof(Arguments.Numbers)));
        code.Load(nextPanel, arguments, Field(nameof(Arguments.PanelBytes)));
        code.Load(inputs[0], arguments, Field(nameof(Arguments.Inputs)));
        code.Load(stride, arguments, Field(nameof(Arguments.Stride)));
        var used = (rows + 2) / 3;
        for (var i = 1; i < used; i++)
        {
            code.AddressOfThird(inputs[i], inputs[i - 1], stride);
            code.Add(inputs[i], stride);
        }
        code.Broadcast(OffsetRegister, arguments, arguments, 0, Field(nameof(Arguments.Offset)));
        for (var row = 0; row < rows; row++)
            for (var panel = 0; panel < panels; panel++)
                code.Broadcast(Sum(0, row, panel), arguments, arguments, 0, Field(nameof(Arguments.Starts)) + row * sizeof(int));
        for (var i = each; i < groups * each; i++)
            code.Broadcast((FirstSum + i) % 32, arguments, arguments, 0, Field(nameof(Arguments.Zero)));

        var loop = code.Position;
        for (var group = 0; group < groups; group++)
        {
            for (var panel = 0; panel < panels; panel++)
                code.Xor(FirstWeights + panel, OffsetRegister, weights, nextPanel, panel, GroupBytes * group);
            for (var row = 0; row < rows; row++)
            {
                code.Broadcast(Inputs, inputs[row / 3], stride, row % 3, 4 * group);
                for (var panel = 0; panel < panels; panel++)
                    code.DotProduct(Sum(group, row, panel), FirstWeights + panel, Inputs);
            }
        }
        code.Add(weights, GroupBytes * groups);
        for (var i = 0; i < used; i++)
            code.Add(inputs[i], 4 * groups);
        code.LoopWhileBelow(inputs[0], arguments, Field(nameof(Arguments.End)), loop);

        for (var i = each; i < groups * each; i++)
            code.AddLanes((FirstSum + i % each) % 32, (FirstSum + i) % 32);
        code.Load(weights, arguments, Field(nameof(Arguments.Sums)));
        for (var i = 0; i < each; i++)
        {
            code.Store(weights, (FirstSum + i) % 32);
            code.Add(weights, GroupBytes);
        }
        code.Return();
    }

    /// <summary>What a loop is given.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Arguments
    {
        public sbyte* Numbers;
        public long PanelBytes;
        public sbyte* Inputs;
        public long Stride;
        public sbyte* End;
        public int* Sums;
        public int Offset;
        public int Zero;
        public fixed int Starts[Rows];
    }
}
