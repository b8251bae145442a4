using System.Buffers;
using System.Buffers.Binary;
using Concentus.Enums;
using Concentus.Structs;

namespace LightTts.Extensions.Formats;

/// <summary>Opus packets of 20 ms in Ogg (RFC 7845). Every call that completes a packet ends a page, so that audio leaves as it comes.</summary>
internal sealed class OggOpusCodec : IAudioCodec
{
    private const int MaxPacket = 1275;
    private const int Clock = 48_000; // positions count at this rate whatever the rate of the audio

    private readonly OpusEncoder _encoder;
    private readonly OggPage _page;
    private readonly float[] _frame;
    private readonly byte[] _packet = new byte[MaxPacket];
    private readonly int _rate;
    private readonly int _preSkip;
    private int _count;
    private long _samples;
    private long _position; // at the end of the packets so far
    private bool _begun;

    public OggOpusCodec(int rate, int bitRate)
    {
        _rate = rate;
        // The class itself, not the library's factory: that one would look for a native libopus first.
#pragma warning disable CS0618
        _encoder = new OpusEncoder(rate, 1, OpusApplication.OPUS_APPLICATION_AUDIO) { Bitrate = bitRate, Complexity = 5, UseVBR = true };
#pragma warning restore CS0618
        _preSkip = _encoder.Lookahead * (Clock / rate);
        _frame = new float[rate / 50];
        _page = new OggPage(Random.Shared.Next());
    }

    public ReadOnlyMemory<byte>? FinalHeader => null;

    public void Encode(ReadOnlySpan<float> samples, IBufferWriter<byte> output)
    {
        Begin(output);
        _samples += samples.Length;
        Fill(samples, output);
        _page.Flush(_position, output);
    }

    public void Finish(IBufferWriter<byte> output)
    {
        Begin(output);
        var end = _preSkip + _samples * (Clock / _rate);
        do
            Fill(new float[_frame.Length - _count], output); // the encoder's delay comes out behind the audio
        while (_position < end);
        _page.Flush(end, output, last: true);
    }

    private void Begin(IBufferWriter<byte> output)
    {
        if (_begun)
            return;
        _begun = true;
        var head = new byte[19];
        "OpusHead"u8.CopyTo(head);
        head[8] = 1; // version
        head[9] = 1; // channels
        BinaryPrimitives.WriteUInt16LittleEndian(head.AsSpan(10), (ushort)_preSkip);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(12), _rate);
        _page.Add(head);
        _page.Flush(0, output);

        var vendor = "LightTts"u8;
        var tags = new byte[8 + 4 + vendor.Length + 4];
        "OpusTags"u8.CopyTo(tags);
        BinaryPrimitives.WriteInt32LittleEndian(tags.AsSpan(8), vendor.Length);
        vendor.CopyTo(tags.AsSpan(12));
        _page.Add(tags);
        _page.Flush(0, output);
    }

    private void Fill(ReadOnlySpan<float> samples, IBufferWriter<byte> output)
    {
        foreach (var sample in samples)
        {
            _frame[_count++] = float.IsNaN(sample) ? 0 : Math.Clamp(sample, -1, 1);
            if (_count < _frame.Length)
                continue;
            _count = 0;
            var length = _encoder.Encode(_frame, _frame.Length, _packet, MaxPacket);
            if (!_page.HasRoom(length))
                _page.Flush(_position, output);
            _page.Add(_packet.AsSpan(0, length));
            _position += Clock / 50;
        }
    }
}
