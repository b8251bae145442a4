using LightTts.Tests.Timbres;
using LightTts.Timbres;

namespace LightTts.Tests.Faults;

/// <summary>.timbre files: there and back, and 10,000 damaged ones.</summary>
public sealed class TimbreFileFuzzTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_voice_goes_into_a_file_and_back()
    {
        using var one = FakeVoices.Store();
        using var two = FakeVoices.Store();
        await one.AddAsync(FakeVoices.Clip(5), "said", "bob", Token);
        var file = new MemoryStream();
        await one.ExportAsync("bob", file, Token);

        file.Position = 0;
        var imported = await two.ImportAsync(file, cancellationToken: Token);
        Assert.Equal(("bob", "said", TimeSpan.FromSeconds(0.5)), (imported.Name, imported.Transcript, imported.Duration));
        Assert.True(FakeVoices.Are(imported.Features, 5));
        Assert.Same(imported.Features, two.Get("bob")!.Features);
        file.Position = 0;
        Assert.Equal(imported.Id, (await two.ImportAsync(file, "again", Token)).Id);
        Assert.Equal(one.Get("bob")!.Id, imported.Id);
        file.Position = 0;
        Assert.Equal(one.Get("bob")!.Id, (await one.ImportAsync(file, cancellationToken: Token)).Id);
        await Assert.ThrowsAsync<TtsRequestException>(() => one.ExportAsync("nobody", new MemoryStream(), Token).AsTask());
    }

    [Fact]
    public void A_file_of_another_model_or_of_features_that_the_model_does_not_take_is_refused()
    {
        var extractor = TimbreKey.OfOwner(FakeVoices.Extractor, null);
        var record = new TimbreRecord(default, null, TimeSpan.FromSeconds(1), DateTimeOffset.UnixEpoch, FakeVoices.Features(5));
        TimbreFile.Read(Written(record, extractor), extractor, new TimbreShape(80, 192, 6));
        Assert.Contains("another model", Refusal(Written(record, TimbreKey.OfOwner("other", null)), null));
        Assert.Contains("token 5", Refusal(Written(record, extractor), new TimbreShape(80, 192, 5)));
        Assert.Contains("bands", Refusal(Written(record, extractor), new TimbreShape(40, 192, 100)));
        Assert.Contains("embedding", Refusal(Written(record, extractor), new TimbreShape(80, 64, 100)));
        Assert.Contains("finite", Refusal(Written(record with { Features = record.Features with { Embedding = [float.NaN] } }, extractor), null));
        Assert.Contains("name", Refusal(Written(record, extractor, "../x"), null));

        string Refusal(Stream file, TimbreShape? shape) => Assert.Throws<TtsTimbreException>(() => TimbreFile.Read(file, extractor, shape)).Message;
    }

    [Fact]
    public async Task Ten_thousand_mutations_give_an_exception_and_nothing_else()
    {
        var extractor = TimbreKey.OfOwner(FakeVoices.Extractor, null);
        var record = new TimbreRecord(default, "said", TimeSpan.FromSeconds(1), DateTimeOffset.UnixEpoch, FakeVoices.Features(5));
        var whole = Written(record, extractor, "bob").ToArray();
        using var store = FakeVoices.Store();
        var random = new Random(26);
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10_000; i++)
        {
            var bytes = Mutate(whole, random);
            if (bytes.AsSpan().SequenceEqual(whole))
                continue;
            await Assert.ThrowsAsync<TtsTimbreException>(() => store.ImportAsync(new MemoryStream(bytes), cancellationToken: Token).AsTask());
        }
        Assert.Empty(store.List());
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - allocated < 10_000L * 200_000, "lengths that lie were allocated");
    }

    // As above, but with a checksum that fits: what is behind the checksum has to stand on its own, too.
    [Fact]
    public void Mutations_with_a_valid_checksum_never_give_more_than_a_typed_exception()
    {
        var extractor = TimbreKey.OfOwner(FakeVoices.Extractor, null);
        var record = new TimbreRecord(default, "said", TimeSpan.FromSeconds(1), DateTimeOffset.UnixEpoch, FakeVoices.Features(5));
        var whole = TimbreCodec.Encode(record, extractor, "bob");
        var random = new Random(27);
        var refused = 0;
        for (var i = 0; i < 10_000; i++)
        {
            var bytes = whole.ToArray();
            for (var flips = random.Next(1, 4); flips > 0; flips--)
                bytes[random.Next(2) == 0 ? random.Next(120) : random.Next(bytes.Length)] = (byte)random.Next(256);
            System.Buffers.Binary.BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(bytes.Length - 8), TimbreCodec.Checksum(bytes));
            if (!TimbreCodec.TryDecode(bytes, extractor, new TimbreShape(80, 192, 6561), out _, out _, out _))
                refused++;
        }
        Assert.InRange(refused, 1000, 9999);
    }

    private static byte[] Mutate(byte[] whole, Random random)
    {
        var bytes = whole.ToArray();
        switch (random.Next(5))
        {
            case 0:
                return bytes[..random.Next(bytes.Length)];
            case 1:
                return [.. bytes, (byte)random.Next(256)];
            case 2:
                var (from, to) = (random.Next(bytes.Length), random.Next(bytes.Length));
                bytes.AsSpan(Math.Min(from, to), Math.Abs(from - to)).Clear();
                return bytes;
            case 3:
                System.Buffers.Binary.BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(random.Next(140)), random.Next(2) == 0 ? int.MaxValue
                    : -random.Next());
                return bytes;
            default:
                for (var flips = random.Next(1, 9); flips > 0; flips--)
                    bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
                return bytes;
        }
    }

    private static MemoryStream Written(TimbreRecord record, in TimbreKey extractor, string? name = null)
    {
        var file = new MemoryStream();
        TimbreFile.Write(file, record, extractor, name);
        file.Position = 0;
        return file;
    }
}
