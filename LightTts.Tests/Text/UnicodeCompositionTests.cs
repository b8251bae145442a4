using LightTts.Text;

namespace LightTts.Tests.Text;

public sealed class UnicodeCompositionTests
{
    [Theory]
    [InlineData("e\u0301", "é")]
    [InlineData("\u1e9b\u0323", "\u1e9b\u0323")]
    [InlineData("\u0044\u0323\u0307", "\u1e0c\u0307")]
    [InlineData("\u0044\u0307\u0323", "\u1e0c\u0307")]
    [InlineData("\u2126\u212b", "\u03a9\u00c5")]
    [InlineData("\u0958", "\u0915\u093c")]
    [InlineData("\u1112\u1161\u11ab", "\ud55c")]
    [InlineData("\uac00\u11a8", "\uac01")]
    [InlineData("\uf900", "\u8c48")]
    [InlineData("\U0002f800", "\u4e3d")]
    [InlineData("\u0061\u0300\u0315\u0323", "\u1ea1\u0300\u0315")]
    [InlineData("\u0301", "\u0301")]
    public void FormCIsUnicodes(string text, string expected) => Assert.Equal(expected, UnicodeComposition.Normalize(text));
}
