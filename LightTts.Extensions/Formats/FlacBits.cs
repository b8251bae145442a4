namespace LightTts.Extensions.Formats;

/// <summary>Bits of a FLAC frame, the most significant first.</summary>
internal sealed class FlacBits
{
    private byte[] _bytes = new byte[8192];
    private int _count;
    private ulong _pending;
    private int _pendingBits;

    /// <summary>The whole bytes so far.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _count);

    public void Clear()
    {
        _count = 0;
        _pending = 0;
        _pendingBits = 0;
    }

    /// <summary>Appends the lowest bits of a value, at most 32 of them.</summary>
    public void Write(uint value, int bits)
    {
        var mask = bits == 32 ? uint.MaxValue : (1u << bits) - 1;
        _pending = (_pending << bits) | (value & mask);
        _pendingBits += bits;
        while (_pendingBits >= 8)
        {
            _pendingBits -= 8;
            if (_count == _bytes.Length)
                Array.Resize(ref _bytes, _bytes.Length * 2);
            _bytes[_count++] = (byte)(_pending >> _pendingBits);
        }
    }

    public void WriteSigned(int value, int bits) => Write((uint)value, bits);

    /// <summary>A quotient in unary, a one, and the remainder.</summary>
    public void WriteRice(uint value, int parameter)
    {
        for (var zeros = value >> parameter; zeros > 0;)
        {
            var now = (int)Math.Min(zeros, 32);
            Write(0, now);
            zeros -= (uint)now;
        }
        Write(1, 1);
        if (parameter > 0)
            Write(value, parameter);
    }

    /// <summary>Zeros to the next whole byte.</summary>
    public void Align()
    {
        if (_pendingBits > 0)
            Write(0, 8 - _pendingBits);
    }
}
