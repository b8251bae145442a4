namespace LightTts.Cpu;

/// <summary>Writes the few x86 instructions that <see cref="WideVnniKernel"/> is made of.</summary>
internal sealed class VnniAssembler
{
    private readonly List<byte> _code = [];

    /// <summary>A general register, by its number in the instructions.</summary>
    public enum Register
    {
        Rax = 0, Rcx = 1, Rdx = 2, Rdi = 7, R8 = 8, R9 = 9, R10 = 10, R11 = 11,
    }

    /// <summary>Where the next instruction begins.</summary>
    public int Position => _code.Count;

    public byte[] ToArray() => [.. _code];

    /// <summary>mov to, [from + offset].</summary>
    public void Load(Register to, Register from, int offset) =>
        _code.AddRange([Rex(to, from), 0x8B, ModRm(1, to, from), (byte)offset]);

    /// <summary>lea to, [start + 2 index].</summary>
    public void AddressOfThird(Register to, Register start, Register index) =>
        _code.AddRange([Rex(to, start, index), 0x8D, (byte)(0x44 | Low(to) << 3), Sib(1, index, start), 0]);

    /// <summary>add to, from.</summary>
    public void Add(Register to, Register from) => _code.AddRange([Rex(to, from), 0x03, ModRm(3, to, from)]);

    /// <summary>add to, a number.</summary>
    public void Add(Register to, int value) => _code.AddRange([Rex(0, to), 0x81, ModRm(3, 0, to), .. BitConverter.GetBytes(value)]);

    /// <summary>cmp left, [right + offset], and back where it is below.</summary>
    public void LoopWhileBelow(Register left, Register right, int offset, int start)
    {
        _code.AddRange([Rex(left, right), 0x3B, ModRm(1, left, right), (byte)offset]);
        var distance = start - (_code.Count + 6);
        _code.AddRange([0x0F, 0x82, .. BitConverter.GetBytes(distance)]);
    }

    /// <summary>vpbroadcastd to, [start + scale index + offset]; the scale 0: no index.</summary>
    public void Broadcast(int to, Register start, Register index, int scale, int offset) =>
        Memory(0x58, map: 2, prefix: 1, to, 0, start, index, scale, offset);

    /// <summary>vpxord to, left, [start + scale index + offset]; the scale 0: no index.</summary>
    public void Xor(int to, int left, Register start, Register index, int scale, int offset) =>
        Memory(0xEF, map: 1, prefix: 1, to, left, start, index, scale, offset);

    /// <summary>vmovdqu32 [start], from.</summary>
    public void Store(Register start, int from) => Memory(0x7F, map: 1, prefix: 2, from, 0, start, start, 0, 0);

    /// <summary>vpdpbusd sum, unsigned, signed.</summary>
    public void DotProduct(int sum, int unsigned, int signed) => Registers(0x50, map: 2, sum, unsigned, signed);

    /// <summary>vpaddd to, to, from.</summary>
    public void AddLanes(int to, int from) => Registers(0xFE, map: 1, to, to, from);

    /// <summary>vzeroupper, ret.</summary>
    public void Return() => _code.AddRange([0xC5, 0xF8, 0x77, 0xC3]);

    private static int Low(Register register) => (int)register & 7;

    private static byte Rex(Register register, Register second, Register index = 0) =>
        (byte)(0x48 | (int)register >> 3 << 2 | (int)index >> 3 << 1 | (int)second >> 3);

    private static byte ModRm(int mode, Register register, Register second) => (byte)(mode << 6 | Low(register) << 3 | Low(second));

    private static byte Sib(int power, Register index, Register start) => (byte)(power << 6 | Low(index) << 3 | Low(start));

    private void Registers(byte operation, int map, int register, int second, int third)
    {
        Prefix(map, prefix: 1, register, second, (third & 16) != 0, (third & 8) != 0);
        _code.AddRange([operation, (byte)(0xC0 | (register & 7) << 3 | third & 7)]);
    }

    /// <summary>An instruction on 512 bits with an operand in memory; 32 bits of offset, which no compression touches.</summary>
    private void Memory(byte operation, int map, int prefix, int register, int second, Register start, Register index, int scale, int offset)
    {
        Prefix(map, prefix, register, second, scale > 0 && (int)index >= 8, (int)start >= 8);
        _code.Add(operation);
        _code.Add((byte)(0x80 | (register & 7) << 3 | (scale > 0 ? 4 : Low(start))));
        if (scale > 0)
            _code.Add(Sib(scale == 2 ? 1 : 0, index, start));
        _code.AddRange(BitConverter.GetBytes(offset));
    }

    /// <summary>The four bytes of EVEX: 512 bits, nothing masked. Extensions of registers are stored inverted.</summary>
    private void Prefix(int map, int prefix, int register, int second, bool extendsIndex, bool extendsStart)
    {
        static int Not(bool bit) => bit ? 0 : 1;
        _code.Add(0x62);
        _code.Add((byte)(Not((register & 8) != 0) << 7 | Not(extendsIndex) << 6 | Not(extendsStart) << 5 | Not((register & 16) != 0) << 4 | map));
        _code.Add((byte)((~second & 15) << 3 | 4 | prefix));
        _code.Add((byte)(0x40 | Not((second & 16) != 0) << 3));
    }
}
