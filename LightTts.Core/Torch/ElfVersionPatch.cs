using System.Buffers.Binary;

namespace LightTts.Torch;

/// <summary>Marks one symbol version that an ELF library asks for as weak, so that an older libstdc++ without that version can load it.</summary>
/// <remarks>
/// libLibTorchSharp.so is linked with GCC 13 and asks for GLIBCXX_3.4.32, a version that
/// carries one marker symbol (std::ios_base_library_init) to which nothing
/// in the library is relocated. The dynamic loader refuses a library whose needed version is missing, unless the need is flagged weak (VER_FLG_WEAK).
/// </remarks>
internal static class ElfVersionPatch
{
    private const uint SectionVersionNeeds = 0x6ffffffe; // SHT_GNU_verneed
    private const uint GlibCxx3432 = 0x0297f842; // ELF hash of "GLIBCXX_3.4.32"
    private const ushort WeakFlag = 2;

    /// <summary>Patches a library in memory.</summary>
    /// <param name="elf">The bytes of a 64-bit little-endian ELF file.</param>
    /// <returns>Whether the need was found (and is weak now).</returns>
    public static bool MakeGlibCxxNeedWeak(Span<byte> elf)
    {
        if (elf.Length < 64 || U32(elf, 0) != 0x464c457f || elf[4] != 2 || elf[5] != 1)
            return false;
        var sections = (long)U64(elf, 40);
        int size = U16(elf, 58), count = U16(elf, 60);
        for (var i = 0; i < count; i++)
        {
            var header = checked((int)(sections + (long)i * size));
            if (U32(elf, header + 4) == SectionVersionNeeds)
                return PatchNeeds(elf, checked((int)U64(elf, header + 24)));
        }
        return false;
    }

    /// <summary>Walks Verneed records (one a library) and their Vernaux records (one a version).</summary>
    private static bool PatchNeeds(Span<byte> elf, int need)
    {
        while (true)
        {
            var aux = need + (int)U32(elf, need + 8);
            for (int i = 0, count = U16(elf, need + 2); i < count; i++)
            {
                if (U32(elf, aux) == GlibCxx3432)
                {
                    BinaryPrimitives.WriteUInt16LittleEndian(elf[(aux + 4)..], (ushort)(U16(elf, aux + 4) | WeakFlag));
                    return true;
                }
                aux += (int)U32(elf, aux + 12);
            }
            var next = (int)U32(elf, need + 12);
            if (next == 0)
                return false;
            need += next;
        }
    }

    private static ushort U16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static ulong U64(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt64LittleEndian(bytes[at..]);
}
