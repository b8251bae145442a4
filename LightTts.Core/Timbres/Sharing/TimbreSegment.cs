using Microsoft.Extensions.Logging;

namespace LightTts.Timbres.Sharing;

internal static class TimbreSegment
{
    public static ITimbreSegment? Open(TimbreStoreOptions options, in TimbreKey owner, in TimbreKey extractor, TimbreShape? shape, ILogger logger) => null;
}
